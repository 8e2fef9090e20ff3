import { DuckDBInstance } from '@duckdb/node-api'
import { openSqliteRegistry, type IngestState } from '@pulso/stores'
import { join } from 'node:path'
import { CHAOS_KINDS } from './kinds.ts'
import type { Value, Values } from './message.ts'

/** A row or point as it stands in the readings. */
export interface StoredReading {
  sensorId: string
  timeMs: number
  values: Values
}

/** What the box has kept, read without the box. */
export interface Stored {
  /** Calls back for every row there is. */
  forEachReading(take: (reading: StoredReading) => void): Promise<void>
}

/** The rows of a DuckDB file that nobody has open. */
export function storedInDuckdb(dataDir: string): Stored {
  return {
    async forEachReading(take) {
      const instance = await DuckDBInstance.create(join(dataDir, 'readings.duckdb'), {
        access_mode: 'READ_ONLY',
      })
      try {
        const connection = await instance.connect()
        for (const { id, serialMetric, extraMetric } of CHAOS_KINDS) {
          const metrics = [serialMetric, extraMetric]
          const columns = metrics.map((name) => `"${name}"`).join(', ')
          const result = await connection.stream(
            `SELECT sensor_id, epoch_ms(time)::DOUBLE, ${columns} FROM main."${id}"`,
          )
          for await (const rows of result.yieldRowsJs()) {
            for (const [sensorId, timeMs, ...values] of rows) {
              take({
                sensorId: sensorId as string,
                timeMs: Number(timeMs),
                values: toValues(metrics, values as (Value | null)[]),
              })
            }
          }
        }
        connection.closeSync()
      } finally {
        instance.closeSync()
      }
    },
  }
}

/** The points of an InfluxDB 1.x database. */
export function storedInInflux({ url, database }: { url: string; database: string }): Stored {
  return {
    async forEachReading(take) {
      for (const { id, serialMetric, extraMetric } of CHAOS_KINDS) {
        const metrics = [serialMetric, extraMetric]
        const columns = metrics.map((name) => `"${name}"`).join(', ')
        const query = `SELECT "sensor_id", ${columns} FROM "${id}"`
        const address = `${url}/query?db=${database}&epoch=ms&chunked=true&chunk_size=10000`
        const response = await fetch(address, { method: 'POST', body: new URLSearchParams({ q: query }) })
        if (!response.ok) throw new Error(`InfluxDB answers ${response.status}: ${await response.text()}`)
        for (const line of (await response.text()).split('\n')) {
          if (line === '') continue
          for (const [timeMs, sensorId, ...values] of readPoints(line)) {
            take({ sensorId: String(sensorId), timeMs: Number(timeMs), values: toValues(metrics, values) })
          }
        }
      }
    },
  }
}

function readPoints(line: string): (Value | null)[][] {
  const { results } = JSON.parse(line) as {
    results: { error?: string; series?: { values: (Value | null)[][] }[] }[]
  }
  return results.flatMap(({ error, series = [] }) => {
    if (error !== undefined) throw new Error(`InfluxDB: ${error}`)
    return series.flatMap(({ values }) => values)
  })
}

function toValues(names: readonly string[], values: readonly (Value | null)[]): Values {
  const found: Values = {}
  for (const [index, name] of names.entries()) {
    const value = values[index]
    if (value !== null && value !== undefined) found[name] = value
  }
  return found
}

export interface StoredRegistry {
  states: ReadonlyMap<string, IngestState>
  /** Quarantine entries by sensor. */
  quarantined: Readonly<Record<string, number>>
}

export async function readRegistry(dataDir: string): Promise<StoredRegistry> {
  const registry = await openSqliteRegistry({ file: join(dataDir, 'registry.sqlite') })
  try {
    const states = await registry.listStates()
    const { bySensor } = await registry.countQuarantine()
    return { states: new Map(states.map((state) => [state.sensorId, state])), quarantined: bySensor }
  } finally {
    await registry.close()
  }
}
