import type { MetricValue, Sensor } from '@pulso/model'
import { hash } from '../random.ts'

/** A recorded sensor, as the registry wants it but for the time of its creation. */
export type RecordedSensor = Omit<Sensor, 'createdAtMs'>

/** What one sensor measured at one time, as it was recorded: also what cannot be right. */
export interface RecordedRow {
  timeMs: number
  sensorId: string
  values: Readonly<Record<string, MetricValue>>
}

export interface Malformed {
  count: number
  /** `file:line: what is wrong`, the first ones. */
  examples: readonly string[]
}

/** A recording that was recognised and read through once. */
export interface ReplaySource {
  format: ReplayFormat
  /** Those that have values. */
  sensors: readonly RecordedSensor[]
  /** Recorded time of the first and of the last row. */
  firstMs: number
  lastMs: number
  rowCount: number
  /** Rows and cells that are passed over. */
  malformed: Malformed
  /** The rows in the order of time, read as they are needed: fromMs included, toMs not. */
  rows(range?: TimeRange): AsyncIterable<RecordedRow>
}

export interface TimeRange {
  fromMs?: number
  toMs?: number
}

export type ReplayFormat = 'parking-week' | 'air-month'

/** What the formats give; the rest follows from reading it once. */
export interface Recording {
  format: ReplayFormat
  /** @param range lets a format pass over whole files; rows outside of it may still come */
  read(report: (mistake: string) => void, range?: TimeRange): AsyncIterable<RecordedRow>
  /** Called after the first reading: only then it is known who measured anything. */
  sensorsOf(sensorIds: ReadonlySet<string>): RecordedSensor[]
}

const MAX_EXAMPLES = 20
const MAX_ID_LENGTH = 64
const KEPT_LENGTH = 55

/**
 * Reads the recording once for its sensors, its times and its mistakes. Nothing of it is kept.
 * @param idStart rows of sensors with another beginning are passed over
 */
export async function toReplaySource(recording: Recording, idStart = ''): Promise<ReplaySource> {
  const examples: string[] = []
  const sensorIds = new Set<string>()
  let [count, rowCount, firstMs, lastMs] = [0, 0, Infinity, -Infinity]
  const report = (mistake: string): void => {
    count += 1
    if (examples.length < MAX_EXAMPLES) examples.push(mistake)
  }
  for await (const { timeMs, sensorId } of recording.read(report)) {
    if (!sensorId.startsWith(idStart)) continue
    rowCount += 1
    firstMs = Math.min(firstMs, timeMs)
    lastMs = Math.max(lastMs, timeMs)
    sensorIds.add(sensorId)
  }
  return {
    format: recording.format,
    sensors: recording.sensorsOf(sensorIds),
    firstMs,
    lastMs,
    rowCount,
    malformed: { count, examples },
    async *rows({ fromMs = -Infinity, toMs = Infinity } = {}) {
      // Mistakes were counted by the first reading.
      for await (const row of recording.read(() => undefined, { fromMs, toMs })) {
        const isWanted = row.timeMs >= fromMs && row.timeMs < toMs && row.sensorId.startsWith(idStart)
        if (isWanted) yield row
      }
    },
  }
}

/**
 * A recorded name as a sensor id: accents go, what an id may not hold becomes a dash, and a name that is too long keeps its
 * beginning and a hash of the whole, so that it stays unique.
 */
export function toSensorId(prefix: string, name: string): string {
  const text = `${prefix}${name}`
  if (/^[A-Za-z0-9._:-]+$/.test(text) && text.length <= MAX_ID_LENGTH) return text
  const plain = text.normalize('NFD').replaceAll(/\p{Mn}/gu, '')
  const id = plain.replaceAll(/[^A-Za-z0-9._:]+/g, '-')
  if (id.length <= MAX_ID_LENGTH) return id
  return `${id.slice(0, KEPT_LENGTH)}-${hash(0, text).toString(16).padStart(8, '0')}`
}

/** Leaves out what is undefined, for optional properties that may be absent but not undefined. */
export function optionalRange({
  fromMs,
  toMs,
}: {
  fromMs: number | undefined
  toMs: number | undefined
}): TimeRange {
  return { ...(fromMs === undefined ? {} : { fromMs }), ...(toMs === undefined ? {} : { toMs }) }
}
