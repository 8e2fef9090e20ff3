import { defineKind, UNKNOWN_STATE, type Rejection } from '../kind.ts'
import { MINUTE_MS } from '../time.ts'

/** Below this share of free spaces a car park is `almostFull`. Ours: the models name the state, not the bound. */
const ALMOST_FULL_SHARE = 0.05

/** A counted car park or garage. Source of names: FIWARE `OffStreetParking`. */
export default defineKind({
  id: 'carpark',
  title: { en: 'Car park', es: 'Aparcamiento', fr: 'Parking' },
  plural: { en: 'Car parks', es: 'Aparcamientos', fr: 'Parkings' },
  metrics: {
    availableSpotNumber: {
      type: 'number',
      title: { en: 'Free spaces', es: 'Plazas libres', fr: 'Places libres' },
      unit: '1',
      min: 0,
      max: 100_000,
      integer: true,
      decimals: 0,
      rollup: 'mean',
    },
    totalSpotNumber: {
      type: 'number',
      title: { en: 'Spaces', es: 'Plazas', fr: 'Places' },
      unit: '1',
      min: 0,
      max: 100_000,
      integer: true,
      decimals: 0,
      rollup: 'last',
    },
    status: {
      type: 'state',
      title: { en: 'Status', es: 'Estado', fr: 'État' },
      values: [
        'open',
        'closed',
        'closedAbnormal',
        'full',
        'fullAtEntrance',
        'almostFull',
        'spacesAvailable',
        'openingTimesInForce',
      ],
      rollup: 'share',
    },
  },
  // Feeds of city guidance systems stand still at night; a value is old news after an hour.
  intervalMs: 15 * MINUTE_MS,
  staleAfterIntervals: 4,
  offlineAfterIntervals: 24,
  states: [
    {
      id: 'spacesAvailable',
      title: { en: 'Spaces free', es: 'Con plazas', fr: 'Places libres' },
      colour: '#009E73',
      symbol: '●',
    },
    {
      id: 'almostFull',
      title: { en: 'Almost full', es: 'Casi lleno', fr: 'Presque complet' },
      colour: '#E69F00',
      symbol: '◐',
    },
    { id: 'full', title: { en: 'Full', es: 'Completo', fr: 'Complet' }, colour: '#D55E00', symbol: '■' },
    { id: 'closed', title: { en: 'Closed', es: 'Cerrado', fr: 'Fermé' }, colour: '#56616C', symbol: '✕' },
    {
      id: UNKNOWN_STATE,
      title: { en: 'Unknown', es: 'Desconocido', fr: 'Inconnu' },
      colour: '#8A949E',
      symbol: '?',
    },
  ],
  toState({ values, attributes }) {
    const { status, availableSpotNumber: free } = values
    if (status === 'closed' || status === 'closedAbnormal') return 'closed'
    if (typeof free !== 'number') return toStateFromStatus(status)
    if (free === 0) return 'full'
    const total = values.totalSpotNumber ?? attributes.totalSpotNumber
    return typeof total === 'number' && free < total * ALMOST_FULL_SHARE ? 'almostFull' : 'spacesAvailable'
  },
  check(values, known) {
    const free = values.availableSpotNumber
    const total = values.totalSpotNumber ?? known.values.totalSpotNumber ?? known.attributes.totalSpotNumber
    const rejections: Rejection[] = []
    if (typeof free === 'number' && typeof total === 'number' && free > total) {
      const detail = `availableSpotNumber ${free} is more than the ${total} spaces there are`
      rejections.push({ metric: 'availableSpotNumber', reason: 'over-capacity', detail })
    }
    return rejections
  },
  figures: [
    {
      id: 'free',
      title: { en: 'free', es: 'libres', fr: 'libres' },
      of: 'sum',
      metric: 'availableSpotNumber',
    },
    {
      id: 'total',
      title: { en: 'spaces', es: 'plazas', fr: 'places' },
      of: 'sum',
      metric: 'totalSpotNumber',
    },
  ],
  availability: { place: 'sensor', free: 'free', total: 'total', closed: ['closed'] },
  headlineMetric: 'availableSpotNumber',
  order: 20,
  example: { availableSpotNumber: 120, totalSpotNumber: 300 },
  entity: {
    type: 'OffStreetParking',
    context: 'https://raw.githubusercontent.com/smart-data-models/dataModel.Parking/master/context.jsonld',
    constants: { category: ['offStreet'] },
    state: { attribute: 'status', values: ['spacesAvailable', 'almostFull', 'full', 'closed'] },
    timeAttributes: ['occupancyModified'],
    derive({ availableSpotNumber: free, totalSpotNumber: total }) {
      if (typeof free !== 'number' || typeof total !== 'number' || total < free || total === 0) return {}
      const occupiedSpotNumber = total - free
      return { occupiedSpotNumber, occupancy: Math.round((occupiedSpotNumber / total) * 1e4) / 1e4 }
    },
  },
})

function toStateFromStatus(status: unknown): string {
  if (status === 'full' || status === 'fullAtEntrance') return 'full'
  if (status === 'almostFull' || status === 'spacesAvailable') return status
  return UNKNOWN_STATE
}
