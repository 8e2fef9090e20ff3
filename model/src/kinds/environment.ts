import { airQualityIndex, POLLUTANTS } from '../air-quality.ts'
import { defineKind, UNKNOWN_STATE, type NumberMetric } from '../kind.ts'
import type { Text } from '../text.ts'
import { MINUTE_MS } from '../time.ts'

/** Where the model's words are published. */
const CONTEXT =
  'https://raw.githubusercontent.com/smart-data-models/dataModel.Environment/master/context.jsonld'

/** An air and noise station. Source of names: FIWARE `AirQualityObserved` and `NoiseLevelObserved`. */
export default defineKind({
  id: 'environment',
  title: { en: 'Air and noise station', es: 'Estación de aire y ruido', fr: "Station d'air et de bruit" },
  plural: { en: 'Air and noise', es: 'Aire y ruido', fr: 'Air et bruit' },
  metrics: {
    pm25: measured(same('PM2.5'), { unit: 'ug/m3', min: 0, max: 1_000, decimals: 1 }),
    pm10: measured(same('PM10'), { unit: 'ug/m3', min: 0, max: 2_000, decimals: 1 }),
    no2: measured(same('NO₂'), { unit: 'ug/m3', min: 0, max: 2_000, decimals: 0 }),
    o3: measured(same('O₃'), { unit: 'ug/m3', min: 0, max: 1_000, decimals: 0 }),
    so2: measured(same('SO₂'), { unit: 'ug/m3', min: 0, max: 2_000, decimals: 0 }),
    // The Smart Data Model's own example gives CO 500 mg/m³, which nobody would survive: a unit mistake.
    co: measured(same('CO'), { unit: 'mg/m3', min: 0, max: 100, decimals: 2 }),
    temperature: measured(
      { en: 'Temperature', es: 'Temperatura', fr: 'Température' },
      { unit: 'Cel', min: -50, max: 60, decimals: 1 },
    ),
    relativeHumidity: measured(
      { en: 'Humidity', es: 'Humedad', fr: 'Humidité' },
      { unit: '1', percent: true, min: 0, max: 1, decimals: 0 },
    ),
    LAeq: measured(
      { en: 'Noise', es: 'Ruido', fr: 'Bruit' },
      { unit: 'dB[SPL]', min: 0, max: 150, decimals: 0 },
    ),
  },
  intervalMs: 5 * MINUTE_MS,
  staleAfterIntervals: 4,
  offlineAfterIntervals: 24,
  // Colours of the European Air Quality Index; the symbols rise with the level.
  states: [
    { id: 'good', title: { en: 'Good', es: 'Buena', fr: 'Bon' }, colour: '#50F0E6', symbol: '1' },
    {
      id: 'fair',
      title: { en: 'Fair', es: 'Razonablemente buena', fr: 'Moyen' },
      colour: '#50CCAA',
      symbol: '2',
    },
    {
      id: 'moderate',
      title: { en: 'Moderate', es: 'Regular', fr: 'Dégradé' },
      colour: '#F0E641',
      symbol: '3',
    },
    { id: 'poor', title: { en: 'Poor', es: 'Desfavorable', fr: 'Mauvais' }, colour: '#FF5050', symbol: '4' },
    {
      id: 'veryPoor',
      title: { en: 'Very poor', es: 'Muy desfavorable', fr: 'Très mauvais' },
      colour: '#960032',
      symbol: '5',
    },
    {
      id: 'extremelyPoor',
      title: { en: 'Extremely poor', es: 'Extremadamente desfavorable', fr: 'Extrêmement mauvais' },
      colour: '#7D2181',
      symbol: '6',
    },
    {
      id: 'notAvailable',
      title: { en: 'Index not available', es: 'Índice no disponible', fr: 'Indice non disponible' },
      colour: '#B4BCC4',
      symbol: '–',
      noVerdict: true,
    },
    {
      id: UNKNOWN_STATE,
      title: { en: 'Unknown', es: 'Desconocido', fr: 'Inconnu' },
      colour: '#8A949E',
      symbol: '?',
    },
  ],
  hourlyMetrics: POLLUTANTS,
  toState({ values, hourly, attributes }) {
    if (Object.keys(values).length === 0) return UNKNOWN_STATE
    return airQualityIndex(hourly, { isTraffic: attributes.areaType === 'traffic' })?.level ?? 'notAvailable'
  },
  figures: [
    { id: 'pm25', title: same('PM2.5'), of: 'mean', metric: 'pm25' },
    { id: 'no2', title: same('NO₂'), of: 'mean', metric: 'no2' },
    { id: 'LAeq', title: { en: 'Noise', es: 'Ruido', fr: 'Bruit' }, of: 'mean', metric: 'LAeq' },
    {
      id: 'temperature',
      title: { en: 'Temperature', es: 'Temperatura', fr: 'Température' },
      of: 'mean',
      metric: 'temperature',
    },
    { id: 'total', title: { en: 'stations', es: 'estaciones', fr: 'stations' }, of: 'count' },
  ],
  order: 30,
  example: { pm25: 8.4, no2: 21, o3: 64, temperature: 17.5, LAeq: 58 },
  entity: {
    type: 'AirQualityObserved',
    context: CONTEXT,
    timeAttributes: ['dateObserved'],
    state: {
      attribute: 'airQualityLevel',
      values: ['good', 'fair', 'moderate', 'poor', 'veryPoor', 'extremelyPoor'],
    },
  },
  furtherEntities: [
    {
      type: 'NoiseLevelObserved',
      context: CONTEXT,
      metrics: ['LAeq'],
      periodAttributes: { from: 'dateObservedFrom', to: 'dateObservedTo' },
    },
  ],
})

function same(name: string): Text {
  return { en: name, es: name, fr: name }
}

/** A continuous quantity with its plausible range: beyond it a device has its units wrong. */
function measured(
  title: Text,
  range: Pick<NumberMetric, 'unit' | 'percent' | 'min' | 'max' | 'decimals'>,
): NumberMetric {
  return { type: 'number', title, rollup: 'mean', ...range }
}
