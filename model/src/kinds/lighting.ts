import { defineKind, UNKNOWN_STATE } from '../kind.ts'
import { MINUTE_MS } from '../time.ts'

/** A street lamp with a controller. Source of names: FIWARE `Streetlight`. */
export default defineKind({
  id: 'lighting',
  title: { en: 'Street lamp', es: 'Farola', fr: 'Lampadaire' },
  plural: { en: 'Street lamps', es: 'Farolas', fr: 'Lampadaires' },
  metrics: {
    powerState: {
      type: 'state',
      title: { en: 'Lamp', es: 'Lámpara', fr: 'Lampe' },
      values: ['on', 'off', 'low', 'bootingUp'],
      rollup: 'share',
    },
    illuminanceLevel: {
      type: 'number',
      title: { en: 'Level', es: 'Nivel', fr: 'Niveau' },
      unit: '1',
      percent: true,
      min: 0,
      max: 1,
      decimals: 0,
      rollup: 'mean',
    },
    powerConsumption: {
      type: 'number',
      title: { en: 'Power', es: 'Potencia', fr: 'Puissance' },
      unit: 'W',
      min: 0,
      max: 2_000,
      decimals: 0,
      rollup: 'mean',
    },
    energy: {
      type: 'number',
      title: { en: 'Energy', es: 'Energía', fr: 'Énergie' },
      unit: 'kW.h',
      min: 0,
      max: 10_000_000,
      decimals: 1,
      rollup: 'counter',
    },
    status: {
      type: 'state',
      title: { en: 'Condition', es: 'Estado', fr: 'Condition' },
      values: ['ok', 'defectiveLamp', 'columnIssue', 'brokenLantern'],
      rollup: 'share',
    },
  },
  intervalMs: 15 * MINUTE_MS,
  staleAfterIntervals: 3,
  offlineAfterIntervals: 12,
  states: [
    { id: 'on', title: { en: 'On', es: 'Encendida', fr: 'Allumé' }, colour: '#F0B400', symbol: '☀' },
    { id: 'low', title: { en: 'Dimmed', es: 'Atenuada', fr: 'Atténué' }, colour: '#A98A2E', symbol: '◐' },
    { id: 'off', title: { en: 'Off', es: 'Apagada', fr: 'Éteint' }, colour: '#56616C', symbol: '○' },
    {
      id: 'defective',
      title: { en: 'Defective', es: 'Averiada', fr: 'En panne' },
      colour: '#CC79A7',
      symbol: '!',
    },
    {
      id: UNKNOWN_STATE,
      title: { en: 'Unknown', es: 'Desconocido', fr: 'Inconnu' },
      colour: '#8A949E',
      symbol: '?',
    },
  ],
  toState({ values: { status, powerState } }) {
    if (status !== undefined && status !== 'ok') return 'defective'
    if (powerState === 'bootingUp') return 'on'
    return String(powerState ?? UNKNOWN_STATE)
  },
  figures: [
    { id: 'on', title: { en: 'on', es: 'encendidas', fr: 'allumés' }, of: 'count', state: 'on' },
    { id: 'total', title: { en: 'lamps', es: 'farolas', fr: 'lampadaires' }, of: 'count' },
    {
      id: 'defective',
      title: { en: 'defective', es: 'averiadas', fr: 'en panne' },
      of: 'count',
      state: 'defective',
    },
    { id: 'power', title: { en: 'W', es: 'W', fr: 'W' }, of: 'sum', metric: 'powerConsumption' },
  ],
  order: 40,
  example: { powerState: 'on', illuminanceLevel: 0.8, powerConsumption: 62 },
  entity: {
    type: 'Streetlight',
    context:
      'https://raw.githubusercontent.com/smart-data-models/dataModel.Streetlighting/master/context.jsonld',
    attributes: { energy: 'lifetimePowerConsumption' },
    timeAttributes: ['observationDateTime'],
  },
})
