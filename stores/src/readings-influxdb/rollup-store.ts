import type { Bucket, Kind, Scope } from '@pulso/model'
import type { RollupLayout, RollupRow } from '../rollup-rows.ts'
import type { RollupPlan } from '../rollups.ts'
import type { SerialQueue } from '../serial.ts'
import type { InfluxServer } from './address.ts'
import { queryInflux, quoteIdentifier } from './influxql.ts'
import { ELAPSED_FIELD, toRollupPoint } from './rollup-points.ts'
import { toRuns, within } from './rollup-source.ts'
import type { InfluxStream } from './stream.ts'
import { POINTS_PER_REQUEST, writePoints } from './write.ts'

export interface RollupStoreOptions {
  server: InfluxServer
  writes: SerialQueue
  stream: InfluxStream
  onBeyondRetention?: ((detail: string) => void) | undefined
}

/** Puts a plan's rows in the place of those that are stored. */
export interface Replacing {
  write(scope: Scope, bucket: Bucket, rows: ReadonlyMap<string, RollupRow>): Promise<void>
  /** To be called when all is written. @returns the buckets that are empty now and must be written anew */
  deleteStale(): Promise<Bucket[]>
}

/**
 * Rows are written over the stored ones, which needs no deleting and leaves no moment without them. Only rows that
 * nobody wrote any more, because a sensor moved to another zone or its readings went, must be deleted, and that is rare:
 * InfluxDB 2.x deletes little else than periods of time, so the buckets that have such rows are emptied and worked out once more.
 */
export function createRollupStore({ server, writes, stream, onBeyondRetention }: RollupStoreOptions): {
  replace(kind: Kind, layout: RollupLayout, plan: RollupPlan): Promise<Replacing>
} {
  return {
    async replace(kind, layout, { resolution, buckets }) {
      const stored = server.buckets[resolution]
      const span = { fromMs: buckets[0]?.fromMs ?? 0, toMs: buckets.at(-1)?.toMs ?? 0 }
      const all = `FROM ${quoteIdentifier(kind.id)} WHERE ${within(span)}`
      const [any] = await queryInflux(server.patient.influx, {
        path: stored.queryPath,
        q: `SELECT "${ELAPSED_FIELD}" ${all} LIMIT 1`,
      })
      const written = any && createMarks(buckets)
      return {
        async write(scope, bucket, rows) {
          written?.mark(scope, bucket.fromMs, rows.keys())
          const entries = [...rows]
          for (let start = 0; start < entries.length; start += POINTS_PER_REQUEST) {
            const points = entries
              .slice(start, start + POINTS_PER_REQUEST)
              .map(([id, row]) => toRollupPoint(layout, kind.id, { scope, id, fromMs: bucket.fromMs, row }))
            await writes.run(() => writePoints(stored, points, onBeyondRetention))
          }
        },
        async deleteStale() {
          if (!written) return []
          const staleTimes: number[] = []
          const q = `SELECT "scope", "id", "${ELAPSED_FIELD}" ${all}`
          for await (const { columns, rows } of stream(resolution, q)) {
            const [time = -1, scope = -1, id = -1] = ['time', 'scope', 'id'].map((name) =>
              columns.indexOf(name),
            )
            for (const row of rows) {
              const key = { scope: String(row[scope]), id: String(row[id] ?? ''), fromMs: Number(row[time]) }
              if (!written.has(key) && staleTimes.at(-1) !== key.fromMs) staleTimes.push(key.fromMs)
            }
          }
          const stale = buckets.filter(({ fromMs, toMs }) =>
            staleTimes.some((timeMs) => timeMs >= fromMs && timeMs < toMs),
          )
          for (const run of toRuns(stale)) {
            const points = { measurement: kind.id, fromMs: run[0]?.fromMs ?? 0, toMs: run.at(-1)?.toMs ?? 0 }
            await writes.run(() => server.api.deletePoints(stored.name, points))
          }
          return stale
        },
      }
    },
  }
}

interface Marks {
  mark(scope: Scope, fromMs: number, ids: Iterable<string>): void
  has(key: { scope: string; id: string; fromMs: number }): boolean
}

/** Which rows were written: a byte for each bucket and id. */
function createMarks(buckets: readonly Bucket[]): Marks {
  const indexes = new Map(buckets.map(({ fromMs }, index) => [fromMs, index]))
  const marks = new Map<string, Uint8Array>()
  return {
    mark(scope, fromMs, ids) {
      const index = indexes.get(fromMs) ?? -1
      for (const id of ids) {
        const name = `${scope} ${id}`
        let own = marks.get(name)
        if (!own) marks.set(name, (own = new Uint8Array(buckets.length)))
        own[index] = 1
      }
    },
    has: ({ scope, id, fromMs }) => marks.get(`${scope} ${id}`)?.[indexes.get(fromMs) ?? -1] === 1,
  }
}
