import {
  HOUR_MS,
  rollupFields,
  type Bucket,
  type Kinds,
  type MetricValue,
  type Reading,
  type RollupField,
} from '@pulso/model'
import type { AggregateQuery, AggregateRow, SensorPlace } from '@pulso/stores'

export interface Known {
  kinds: Kinds
  readings: readonly Reading[]
  places: readonly SensorPlace[]
}

/** What one sensor has to say in one bucket. */
interface Piece {
  sensorId: string
  elapsedMs: number
  parts: Record<string, MetricValue>
}

interface Point {
  timeMs: number
  value: MetricValue
}

/** The aggregates that every driver must come to, by walking along each sensor's readings for each bucket. */
export function createBruteForce(known: Known): (query: AggregateQuery, nowMs: number) => AggregateRow[] {
  const tracks = new Map(known.places.map(({ sensorId }) => [sensorId, toTrack(known, sensorId)]))
  return (query, nowMs) => bruteForce(known, tracks, { query, nowMs })
}

/** A sensor's readings by metric, oldest first; under `''` all of them. */
type Track = Readonly<Record<string, readonly Point[]>>

function toTrack({ readings }: Known, sensorId: string): Track {
  const own = readings.filter((each) => each.sensorId === sensorId).sort((a, b) => a.timeMs - b.timeMs)
  const metrics = new Set(own.flatMap(({ values }) => Object.keys(values)))
  const points = Array.from(metrics, (metric): [string, Point[]] => [
    metric,
    own.flatMap(({ timeMs, values }) => {
      const value = values[metric]
      return value === undefined ? [] : [{ timeMs, value }]
    }),
  ])
  return { ...Object.fromEntries(points), '': own.map(({ timeMs }) => ({ timeMs, value: 0 })) }
}

function bruteForce(
  known: Known,
  tracks: ReadonlyMap<string, Track>,
  { query, nowMs }: { query: AggregateQuery; nowMs: number },
): AggregateRow[] {
  const sensors = known.places.filter(
    ({ kind, sensorId, zone }) =>
      kind === query.kind &&
      (query.scope === 'city' || (query.scope === 'zone' ? zone === query.id : sensorId === query.id)),
  )
  const kind = known.kinds.get(query.kind)
  if (!kind) throw new Error(`no kind ${query.kind}`)
  const fields = rollupFields(kind).filter(({ metric }) => metric === query.metric)
  const states = Object.keys(kind.metrics).filter((name) => kind.metrics[name]?.type === 'state')

  return query.buckets.flatMap((bucket) => {
    const pieces = (query.resolution === '1d' ? hoursOf(bucket) : [bucket]).flatMap((piece) =>
      sensors.flatMap((place) =>
        measureSensor({
          track: tracks.get(place.sensorId) ?? {},
          place,
          fields,
          states,
          bucket: piece,
          nowMs,
        }),
      ),
    )
    const parts = Object.fromEntries(
      fields.flatMap((field) => {
        const value = sumUp(pieces, field)
        return value === undefined ? [] : [[field.name, value]]
      }),
    )
    if (Object.keys(parts).length === 0) return []
    const elapsedMs = pieces.reduce((sum, piece) => sum + piece.elapsedMs, 0)
    return [{ fromMs: bucket.fromMs, parts, elapsedMs }]
  })
}

function hoursOf({ fromMs, toMs }: Bucket): Bucket[] {
  const hours: Bucket[] = []
  for (let startMs = fromMs; startMs < toMs; startMs += HOUR_MS) {
    hours.push({ fromMs: startMs, toMs: Math.min(startMs + HOUR_MS, toMs) })
  }
  return hours
}

function measureSensor(of: {
  track: Track
  place: SensorPlace
  fields: readonly RollupField[]
  states: readonly string[]
  bucket: Bucket
  nowMs: number
}): Piece[] {
  const { track, place, fields, states, bucket, nowMs } = of
  const heldMs = (metric: string, state?: string): number => {
    let sumMs = 0
    const points = track[metric] ?? []
    for (const [n, { timeMs, value }] of points.entries()) {
      if (state !== undefined && value !== state) continue
      const nextMs = points[n + 1]?.timeMs ?? Infinity
      const endMs = Math.min(nextMs, timeMs + place.holdMs, nowMs, bucket.toMs)
      sumMs += Math.max(0, endMs - Math.max(timeMs, bucket.fromMs))
    }
    return sumMs
  }
  const isThere =
    track['']?.some(({ timeMs }) => isIn(bucket, timeMs)) === true ||
    states.some((metric) => heldMs(metric) > 0)
  if (!isThere) return []

  const parts: Record<string, MetricValue> = {}
  for (const field of fields) {
    const points = track[field.metric] ?? []
    const value =
      field.part === 'ms'
        ? heldMs(field.metric, field.state) || undefined
        : field.part === 'increase'
          ? increase(points, bucket, place.holdMs)
          : ofReadings(
              field.part,
              points.filter(({ timeMs }) => isIn(bucket, timeMs)),
            )
    if (value !== undefined) parts[field.name] = value
  }
  const elapsedMs = Math.max(0, Math.min(bucket.toMs, nowMs) - bucket.fromMs)
  return [{ sensorId: place.sensorId, elapsedMs, parts }]
}

function isIn({ fromMs, toMs }: Bucket, timeMs: number): boolean {
  return timeMs >= fromMs && timeMs < toMs
}

function increase(points: readonly Point[], bucket: Bucket, holdMs: number): number | undefined {
  let sum: number | undefined
  let before: Point | undefined
  for (const point of points) {
    if (isIn(bucket, point.timeMs) && before) {
      const isKnown = isIn(bucket, before.timeMs) || before.timeMs + holdMs > bucket.fromMs
      const [value, stood] = [Number(point.value), Number(before.value)]
      if (isKnown) sum = (sum ?? 0) + (value < stood ? value : value - stood)
    }
    before = point
  }
  return sum
}

function ofReadings(part: RollupField['part'], points: readonly Point[]): MetricValue | undefined {
  const last = points.at(-1)
  if (!last) return undefined
  const numbers = points.map(({ value }) => Number(value))
  switch (part) {
    case 'count':
      return points.length
    case 'sum':
      return numbers.reduce((sum, value) => sum + value, 0)
    case 'min':
      return Math.min(...numbers)
    case 'max':
      return Math.max(...numbers)
    case 'last':
      return last.value
    case 'last_at':
      return last.timeMs
    default:
      throw new Error(`${part} is not of the readings alone`)
  }
}

function sumUp(pieces: readonly Piece[], { name, metric, part }: RollupField): MetricValue | undefined {
  const saying = pieces.filter(({ parts }) => parts[name] !== undefined)
  if (saying.length === 0) return undefined
  const numbers = saying.map(({ parts }) => Number(parts[name]))
  if (part === 'min') return Math.min(...numbers)
  if (part === 'max' || part === 'last_at') return Math.max(...numbers)
  if (part !== 'last') return numbers.reduce((sum, value) => sum + value, 0)
  const at = ({ parts }: Piece): number => Number(parts[`${metric}_last_at`])
  const newest = saying.reduce((best, piece) =>
    at(piece) > at(best) || (at(piece) === at(best) && piece.sensorId > best.sensorId) ? piece : best,
  )
  return newest.parts[name]
}
