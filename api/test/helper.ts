import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import {
  defineKind,
  toKinds,
  type City,
  type Kinds,
  type Reading,
  type Sensor,
  type SensorState,
} from '@pulso/model'
import environment from '@pulso/model/kinds/environment'
import carpark from '@pulso/model/kinds/carpark'
import parking from '@pulso/model/kinds/parking'
import {
  openSqliteRegistry,
  type AggregatesQueries,
  type Readings,
  type ReadingsExports,
  type ReadingsQueries,
  type Registry,
} from '@pulso/stores'
import { openDuckdbReadings } from '@pulso/stores/readings'
import type { LightMyRequestResponse } from 'fastify'
import { pino } from 'pino'
import { Registry as MetricsRegistry } from 'prom-client'
import { createApi, type Api, type ApiOptions, type Operations } from '../src/index.ts'

/** A clock that stands still until it is told otherwise. */
export interface TestClock {
  now(): number
  nowMs: number
}

export const NOON_MS = Date.UTC(2026, 4, 31, 12)

/** A kind of our own, beside the city's: nothing of the API may depend on which kinds there are. */
export const bins = defineKind({
  id: 'bins',
  order: 9,
  title: { en: 'Bin', es: 'Contenedor', fr: 'Bac' },
  plural: { en: 'Bins', es: 'Contenedores', fr: 'Bacs' },
  metrics: {
    fillLevel: {
      type: 'number',
      title: { en: 'Fill level', es: 'Nivel', fr: 'Remplissage' },
      unit: '1',
      percent: true,
      min: 0,
      max: 1,
      decimals: 0,
      rollup: 'mean',
    },
    volume: {
      type: 'number',
      title: { en: 'Volume', es: 'Volumen', fr: 'Volume' },
      unit: '1',
      min: 0,
      max: 10_000,
      decimals: 0,
      rollup: 'last',
    },
  },
  intervalMs: 60_000,
  staleAfterIntervals: 2,
  offlineAfterIntervals: 10,
  states: [
    { id: 'empty', title: { en: 'Empty', es: 'Vacío', fr: 'Vide' }, colour: '#009E73', symbol: '●' },
    { id: 'full', title: { en: 'Full', es: 'Lleno', fr: 'Plein' }, colour: '#D55E00', symbol: '■' },
    {
      id: 'unknown',
      title: { en: 'Unknown', es: 'Desconocido', fr: 'Inconnu' },
      colour: '#8A949E',
      symbol: '?',
    },
  ],
  toState: ({ values }) =>
    typeof values.fillLevel !== 'number' ? 'unknown' : values.fillLevel > 0.8 ? 'full' : 'empty',
  figures: [
    { id: 'full', title: { en: 'full', es: 'llenos', fr: 'pleins' }, of: 'count', state: 'full' },
    { id: 'fill', title: { en: 'fill', es: 'nivel', fr: 'niveau' }, of: 'mean', metric: 'fillLevel' },
    { id: 'volume', title: { en: 'volume', es: 'volumen', fr: 'volume' }, of: 'sum', metric: 'volume' },
    { id: 'total', title: { en: 'bins', es: 'contenedores', fr: 'bacs' }, of: 'count' },
  ],
  headlineMetric: 'fillLevel',
  example: { fillLevel: 0.4 },
  entity: { type: 'WasteContainer' },
})

/** Two square zones side by side, and room around them. */
export const city: City = {
  name: 'Squareville',
  timeZone: 'Europe/Madrid',
  bounds: [-4, 43, -3, 44],
  languages: ['es', 'en', 'fr'],
  zones: [
    { id: 'west', name: 'West', geometry: toSquare(-3.9, 43.4, 0.1) },
    { id: 'east', name: 'East', geometry: toSquare(-3.8, 43.4, 0.1) },
  ],
  basemap: {
    schematic: [
      {
        type: 'Feature',
        properties: { layer: 'land' },
        geometry: { type: 'Polygon', coordinates: toSquare(-3.9, 43.4, 0.2).coordinates },
      },
    ],
  },
}

export const WEST = { lon: -3.85, lat: 43.45 }
export const EAST = { lon: -3.75, lat: 43.45 }
export const OUTSIDE = { lon: -3.2, lat: 43.9 }

function toSquare(
  west: number,
  south: number,
  size: number,
): { type: 'Polygon'; coordinates: [number, number][][] } {
  const [east, north] = [west + size, south + size]
  const ring: [number, number][] = [
    [west, south],
    [east, south],
    [east, north],
    [west, north],
    [west, south],
  ]
  return { type: 'Polygon', coordinates: [ring] }
}

export function toSensor(id: string, changes: Partial<Sensor> = {}): Sensor {
  return { id, kind: 'bins', name: null, position: WEST, attributes: {}, createdAtMs: NOON_MS, ...changes }
}

/** A state whose values all have its time. */
export function toState(
  sensorId: string,
  values: Reading['values'],
  changes: Partial<SensorState> = {},
): SensorState {
  const { timeMs = NOON_MS } = changes
  return {
    sensorId,
    kind: 'bins',
    timeMs,
    receivedAtMs: timeMs,
    values: Object.fromEntries(Object.entries(values).map(([name, value]) => [name, { value, timeMs }])),
    hourly: {},
    presence: null,
    ...changes,
  }
}

export interface TestApi {
  api: Api
  clock: TestClock
  registry: Registry
  metrics: MetricsRegistry
  address: string
  get(path: string, headers?: Record<string, string>): Promise<Answer>
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Answer>
}

export interface Answer {
  status: number
  headers: Record<string, unknown>
  text: string
  /** The parsed body; undefined when it is not JSON. */
  body: unknown
}

export const kinds: Kinds = toKinds([bins, parking, carpark, environment])

/** A listening API on a real registry in a folder of its own; everything ends with the test. */
export async function createTestApi(
  t: TestContext,
  { sensors = [], ...changes }: Partial<ApiOptions> & { sensors?: readonly Sensor[] } = {},
): Promise<TestApi> {
  const folder = await mkdtemp(join(tmpdir(), 'pulso-api-'))
  const registry = await openSqliteRegistry({ file: join(folder, 'registry.db') })
  await registry.putSensors(sensors)
  const clock = { nowMs: NOON_MS, now: () => clock.nowMs }
  const metrics = new MetricsRegistry()
  const api = createApi({
    city,
    kinds,
    clock,
    logger: pino({ level: 'silent' }),
    host: '127.0.0.1',
    port: 0,
    registry,
    readings: NO_READINGS,
    aggregates: NO_AGGREGATES,
    openData: { ...NO_EXPORTS, folder: join(folder, 'exports') },
    clockLimits: { pastMs: 7 * 86_400_000, futureMs: 300_000 },
    metrics,
    metricsText: () => metrics.metrics(),
    checks: [{ name: 'registry', driver: registry.driver, check: () => registry.check() }],
    operations: NO_OPERATIONS,
    webFolder: null,
    ...changes,
  })
  t.after(async () => {
    await api.stop()
    await registry.close()
    await rm(folder, { recursive: true })
  })
  const { address } = await api.start()
  return {
    api,
    clock,
    registry,
    metrics,
    address,
    get: async (path, headers = {}) => toAnswer(await api.app.inject({ url: path, headers })),
    post: async (path, body, headers = {}) =>
      toAnswer(await api.app.inject({ method: 'POST', url: path, headers, payload: body as object })),
  }
}

function toAnswer({ statusCode, headers, body: text }: LightMyRequestResponse): Answer {
  const isJson = /[/+]json/.test(String(headers['content-type'])) && text !== ''
  return { status: statusCode, headers, text, body: isJson ? (JSON.parse(text) as unknown) : undefined }
}

/** The series store, for the tests that ask for history. */
export async function openTestReadings(t: TestContext): Promise<Readings> {
  const folder = await mkdtemp(join(tmpdir(), 'pulso-api-readings-'))
  const readings = await openDuckdbReadings({ file: join(folder, 'readings.duckdb'), kinds })
  t.after(async () => {
    await readings.close()
    await rm(folder, { recursive: true })
  })
  return readings
}

const NO_EXPORTS: ReadingsExports = {
  openExport: () => Promise.reject(new Error('this test opened no readings')),
}

const NO_AGGREGATES: AggregatesQueries = {
  aggregates: async () => [],
}

/** For tests that ask for nothing of the past. */
export const NO_READINGS: ReadingsQueries = {
  history: () => Promise.reject(new Error('this test opened no readings')),
  check: () => Promise.resolve(),
}

export const EMPTY_OVERVIEW: Awaited<ReturnType<Operations['overview']>> = {
  journal: { depth: 0, oldestAgeMs: null, bytes: 0, maxBytes: 1_000_000, full: null },
  ingest: {
    state: 'running',
    error: null,
    messagesPerSecond: 0,
    readingsPerSecond: 0,
    readingsStored: 0,
    readingsDuplicate: 0,
    readingsCorrected: 0,
    messagesQuarantined: 0,
  },
  connections: 0,
}

/** Nothing runs beside the API. */
export const NO_OPERATIONS: Operations = {
  overview: async () => EMPTY_OVERVIEW,
  replayQuarantine: () => Promise.reject(new Error('No test asks for it')),
}
