import { defineKind, UNKNOWN_STATE } from '../kind.ts'
import { MINUTE_MS } from '../time.ts'

/** One parking space with a sensor in or above it. Source of names: FIWARE `ParkingSpot`. */
export default defineKind({
  id: 'parking',
  title: { en: 'Parking space', es: 'Plaza de aparcamiento', fr: 'Place de stationnement' },
  plural: { en: 'Parking spaces', es: 'Plazas de aparcamiento', fr: 'Places de stationnement' },
  metrics: {
    status: {
      type: 'state',
      title: { en: 'Status', es: 'Estado', fr: 'État' },
      values: ['free', 'occupied', 'closed', 'unknown'],
      rollup: 'share',
    },
  },
  // A bay reports each change and a sign of life in between.
  intervalMs: 30 * MINUTE_MS,
  staleAfterIntervals: 2.5,
  offlineAfterIntervals: 12,
  states: [
    { id: 'free', title: { en: 'Free', es: 'Libre', fr: 'Libre' }, colour: '#009E73', symbol: '●' },
    {
      id: 'occupied',
      title: { en: 'Occupied', es: 'Ocupada', fr: 'Occupée' },
      colour: '#D55E00',
      symbol: '■',
    },
    { id: 'closed', title: { en: 'Closed', es: 'Cerrada', fr: 'Fermée' }, colour: '#56616C', symbol: '✕' },
    {
      id: UNKNOWN_STATE,
      title: { en: 'Unknown', es: 'Desconocido', fr: 'Inconnu' },
      colour: '#8A949E',
      symbol: '?',
    },
  ],
  toState: ({ values }) => String(values.status ?? UNKNOWN_STATE),
  figures: [
    { id: 'free', title: { en: 'free', es: 'libres', fr: 'libres' }, of: 'count', state: 'free' },
    { id: 'total', title: { en: 'spaces', es: 'plazas', fr: 'places' }, of: 'count' },
  ],
  availability: { place: 'zone', free: 'free', total: 'total' },
  order: 10,
  example: { status: 'occupied' },
  entity: {
    type: 'ParkingSpot',
    context: 'https://raw.githubusercontent.com/smart-data-models/dataModel.Parking/master/context.jsonld',
    constants: { category: ['onStreet'] },
    // The model asks for a status always: a silent bay's is `unknown`.
    state: { attribute: 'status', values: ['free', 'occupied', 'closed', UNKNOWN_STATE] },
    zone: {
      type: 'OnStreetParking',
      reference: 'refParkingSite',
      figures: { free: 'availableSpotNumber', total: 'totalSpotNumber' },
    },
  },
})
