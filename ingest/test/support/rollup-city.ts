import assert from 'node:assert/strict'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import {
  createCalendar,
  DAY_MS,
  MINUTE_MS,
  toKinds,
  type Reading,
  type Resolution,
  type Sensor,
} from '@pulso/model'
import environment from '@pulso/model/kinds/environment'
import parking from '@pulso/model/kinds/parking'
import { openSqliteRegistry, type Registry, type Rollups } from '@pulso/stores'
import { openDuckdbReadings } from '@pulso/stores/readings'
import { pino } from 'pino'
import { Registry as MetricsRegistry } from 'prom-client'
import { createIdentities } from '../../src/identities.ts'
import { createRoller, type Retention, type Roller } from '../../src/index.ts'
import { createSensorDraft } from '../../src/sensor-draft.ts'
import { createFolder } from './city.ts'

const KINDS = toKinds([parking, environment])
const TIME_ZONE = 'Europe/Madrid'
const CALENDAR = createCalendar(TIME_ZONE)
/** A day whose clocks do not change, from midnight in Madrid. */
export const DAY_START_MS = Date.UTC(2026, 4, 30, 22)
export const FOR_EVER: Retention = { raw: Infinity, '5m': Infinity, '1h': Infinity, '1d': Infinity }
export const STATION = sensor('air-1', 'environment', { lat: 0.5, lon: 0.5 })
const BAY = sensor('bay-1', 'parking', { lat: 0.5, lon: 0.5 })
const ZONES = [{ id: 'centre', name: 'Centre', geometry: toSquare(0, 0, 1) }]

export interface RollupCity {
  clock: { nowMs: number; now(): number }
  registry: Registry
  rollups: Rollups
  roller: Roller
  sensors: Map<string, Sensor>
  /** A reading so many minutes into the day. */
  air(minute: number, pm25: number): [kind: string, Reading]
  bay(minute: number, status: string): [kind: string, Reading]
  /** As ingest does it up to the readings' commit. */
  write(readings: readonly [kind: string, Reading][]): Promise<Batch>
  /** And up to the registry's. */
  settle(position: number): Promise<void>
  store(readings: readonly [kind: string, Reading][]): Promise<void>
  restart(sensors?: readonly Sensor[]): Promise<void>
  ask(kind: string, metric: string, options: Asked): ReturnType<Roller['aggregates']>
  /** Means of PM2.5 in the city, worked out where necessary. */
  means(resolution: Resolution, minutes: number): Promise<(number | undefined)[]>
  /** The same as it is stored, over a week. */
  stored(resolution: Resolution): Promise<(number | undefined)[]>
}

interface Asked {
  resolution: Resolution
  minutes: number
  zone?: string
}

interface Batch {
  position: number
  identities: ReturnType<typeof createIdentities>
}

/** A roller on real embedded stores, with a clock that stands still until it is told otherwise. */
export async function createRollupCity(
  context: TestContext,
  nowMs: number,
  retention = FOR_EVER,
): Promise<RollupCity> {
  const folder = await createFolder(context)
  const registry = await openSqliteRegistry({ file: join(folder, 'registry.db') })
  const readings = await openDuckdbReadings({
    file: join(folder, 'readings.duckdb'),
    kinds: KINDS,
  })
  const clock = { nowMs, now: () => clock.nowMs }
  const rollups: Rollups = { ...readings.rollups }
  const create = async (sensors: readonly Sensor[]): Promise<Roller> => {
    const roller = createRoller({
      rollups,
      registry,
      kinds: KINDS,
      zones: ZONES,
      timeZone: TIME_ZONE,
      retention,
      clock,
      logger: pino({ level: 'silent' }),
      metrics: new MetricsRegistry(),
      random: () => 0,
      limits: { restMs: 0, retryFirstMs: 5 },
    })
    await roller.load()
    roller.watch.know(sensors)
    return roller
  }
  let position = 0
  const city: RollupCity = {
    clock,
    registry,
    rollups,
    roller: await create([STATION, BAY]),
    sensors: new Map([STATION, BAY].map((each) => [each.id, each])),
    air: (minute, pm25) => ['environment', toReading('air-1', minute, { pm25 })],
    bay: (minute, status) => ['parking', toReading('bay-1', minute, { status })],
    async write(list) {
      const identities = createIdentities()
      for (const [kindId, reading] of list) {
        const [kind, known] = [KINDS.get(kindId), city.sensors.get(reading.sensorId)]
        assert.ok(kind && known)
        identities.add(createSensorDraft(known, kind, undefined), {
          ...reading,
          values: { ...reading.values },
        })
      }
      identities.settle([])
      const batch = identities.toBatch(++position)
      assert.ok(batch)
      await readings.write(batch)
      return { position, identities }
    },
    async settle(until) {
      const dueHours = city.roller.watch.unsettled()
      await registry.commitIngest({ position: until, newSensors: [], states: [], quarantine: [], dueHours })
      city.roller.watch.settled(dueHours)
    },
    async store(list) {
      const batch = await city.write(list)
      city.roller.watch.take(batch, city.sensors)
      await city.settle(batch.position)
    },
    async restart(sensors = [STATION, BAY]) {
      await city.roller.stop()
      city.roller = await create(sensors)
    },
    ask: (kind, metric, { resolution, minutes, zone }) =>
      city.roller.aggregates({
        kind,
        scope: zone === undefined ? 'city' : 'zone',
        id: zone ?? '',
        metric,
        resolution,
        fromMs: DAY_START_MS,
        toMs: DAY_START_MS + minutes * MINUTE_MS,
      }),
    means: async (resolution, minutes) =>
      (await city.ask('environment', 'pm25', { resolution, minutes })).map(({ row }) =>
        row ? toMean(row.parts) : undefined,
      ),
    async stored(resolution) {
      const buckets = CALENDAR.bucketsOf(resolution, DAY_START_MS, DAY_START_MS + 7 * DAY_MS)
      const query = {
        kind: 'environment',
        scope: 'city',
        id: '',
        metric: 'pm25',
        resolution,
        buckets,
      } as const
      return (await rollups.aggregates(query)).map(({ parts }) => toMean(parts))
    },
  }
  context.after(async () => {
    await city.roller.stop()
    await readings.close()
    await registry.close()
  })
  return city
}

function toMean(parts: Readonly<Record<string, unknown>>): number {
  return Number(parts.pm25_sum) / Number(parts.pm25_count)
}

function toReading(sensorId: string, minute: number, values: Reading['values']): Reading {
  const timeMs = DAY_START_MS + minute * MINUTE_MS
  return { sensorId, timeMs, receivedAtMs: timeMs, values }
}

function sensor(id: string, kind: string, position: Sensor['position']): Sensor {
  return { id, kind, name: null, position, attributes: {}, createdAtMs: 0 }
}

function toSquare(west: number, south: number, size: number) {
  const [east, north] = [west + size, south + size]
  const ring = [
    [west, south],
    [east, south],
    [east, north],
    [west, north],
    [west, south],
  ]
  return { type: 'Polygon' as const, coordinates: [ring] }
}
