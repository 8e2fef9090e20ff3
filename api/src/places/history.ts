import { DAY_MS, MINUTE_MS, reportingIntervalMs, type Figure, type FreePoint, type Kind } from '@pulso/model'
import type { AggregatedBucket, AggregatesQueries, AggregatesQuestion } from '@pulso/stores'
import type { Place } from './place.ts'

/** Asked for at once, so that nobody else waits long for the readings. */
const PIECE_MS = 2 * DAY_MS

/** How a place's free spaces are found in the aggregates. */
interface Source {
  question: Pick<AggregatesQuestion, 'kind' | 'scope' | 'id' | 'metric' | 'resolution'>
  toPoint(bucket: AggregatedBucket): FreePoint | undefined
  /** How long a point holds. */
  holdMs: number
}

/** @returns `undefined` where the aggregates know nothing of what is free */
export function toSource(place: Place): Source | undefined {
  const figure = place.kind.figures[place.freeIndex]
  if (!figure) return undefined
  return figure.of === 'count' ? toZoneSource(place, figure) : toSensorSource(place, figure)
}

/**
 * A place's free spaces in the past, oldest first, piece by piece.
 * @param pause called between two pieces
 */
export async function readFreePoints({
  source,
  aggregates,
  fromMs,
  toMs,
  pause,
}: {
  source: Source
  aggregates: AggregatesQueries
  fromMs: number
  toMs: number
  pause(): Promise<void>
}): Promise<FreePoint[]> {
  const points: FreePoint[] = []
  for (let pieceMs = fromMs; pieceMs < toMs; pieceMs += PIECE_MS) {
    const piece = { fromMs: pieceMs, toMs: Math.min(pieceMs + PIECE_MS, toMs) }
    for (const bucket of await aggregates.aggregates({ ...source.question, ...piece })) {
      // What still runs is not yet what it will be.
      const point = bucket.toMs <= toMs ? source.toPoint(bucket) : undefined
      if (point) points.push(point)
    }
    await pause()
  }
  return points
}

/** A sensor that counts: the newest reading of each five minutes. */
function toSensorSource({ kind, sensorId, members }: Place, figure: Figure): Source | undefined {
  const attributes = members[0]?.sensor.attributes ?? {}
  if (sensorId === null || !('metric' in figure)) return undefined
  const { metric } = figure
  return {
    question: { kind: kind.id, scope: 'sensor', id: sensorId, metric, resolution: '5m' },
    toPoint({ row }) {
      const [free, timeMs] = [row?.parts[`${metric}_last`], row?.parts[`${metric}_last_at`]]
      return typeof free === 'number' && typeof timeMs === 'number' ? { timeMs, free } : undefined
    },
    holdMs: reportingIntervalMs({ kind, attributes }) * kind.staleAfterIntervals,
  }
}

/** A zone's single spaces: how many were free on average over each five minutes. */
function toZoneSource({ kind, zone }: Place, figure: Figure): Source | undefined {
  const state = 'state' in figure ? figure.state : undefined
  const metric = findStateMetric(kind, state)
  if (zone === null || metric === undefined || state === undefined) return undefined
  return {
    question: { kind: kind.id, scope: 'zone', id: zone, metric, resolution: '5m' },
    toPoint({ row, fromMs, toMs }) {
      // Without a row nobody knew anything; with one, a state that is not there was held by nobody.
      if (!row || row.elapsedMs === 0) return undefined
      const heldMs = row.parts[`${metric}_${state}_ms`] ?? 0
      return typeof heldMs === 'number' ? { timeMs: toMs, free: heldMs / (toMs - fromMs) } : undefined
    },
    holdMs: 10 * MINUTE_MS,
  }
}

/** The metric that a sensor's state is read from: the one that has this state among its values. */
function findStateMetric({ metrics }: Kind, state: string | undefined): string | undefined {
  return Object.entries(metrics).find(
    ([, metric]) => metric.type === 'state' && state !== undefined && metric.values.includes(state),
  )?.[0]
}
