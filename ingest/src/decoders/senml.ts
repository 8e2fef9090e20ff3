import { parseTime, SECOND_MS, type Kind } from '@pulso/model'
import type { KeptMessage } from '@pulso/stores'
import {
  refused,
  tooMany,
  type Decoded,
  type DecoderContext,
  type RawReading,
  type Refused,
} from './decoder.ts'
import { describeJson, isObject, parseJson, type JsonObject } from './json.ts'
import { toMetricValue } from './senml-values.ts'

/** Base fields, which hold from their record on. */
interface Base {
  bn: string
  bt: number
  bu: string | undefined
  bv: number
  bs: number
}

/** RFC 8428 section 4, and the JSON type of each field. */
const FIELDS: ReadonlyMap<string, 'string' | 'number' | 'boolean'> = new Map([
  ['bn', 'string'],
  ['bt', 'number'],
  ['bu', 'string'],
  ['bv', 'number'],
  ['bs', 'number'],
  ['bver', 'number'],
  ['n', 'string'],
  ['u', 'string'],
  ['v', 'number'],
  ['vs', 'string'],
  ['vb', 'boolean'],
  ['vd', 'string'],
  ['s', 'number'],
  ['t', 'number'],
  ['ut', 'number'],
])

/** Version 10 is RFC 8428; 26 is the same with secondary units (RFC 9100), all of which we take in either. */
const VERSION = 10
const VERSION_WITH_SECONDARY_UNITS = 26

/** Seconds below this are relative to now (RFC 8428, 4.5.3). */
const FIRST_ABSOLUTE_S = 2 ** 28
const NAME = /^[A-Za-z0-9][A-Za-z0-9\-:./_]*$/

/**
 * SenML JSON (RFC 8428). A record is about the metric that its name behind the base name ends with, after the last `/` or
 * `:`. Records of one time are one reading; now is when we received the message. Units are converted to the metric's.
 */
export function decodeSenml(message: KeptMessage, { kind, limits }: DecoderContext): Decoded {
  const parsed = parseJson(message.payload)
  if ('type' in parsed) return parsed
  const { json } = parsed
  if (!Array.isArray(json)) {
    return refused('invalid-payload', `A SenML pack is an array of records, got ${describeJson(json)}`)
  }
  const wrong = tooMany(json, limits) ?? judgePack(json)
  if (wrong) return wrong
  const base: Base = { bn: '', bt: 0, bu: undefined, bv: 0, bs: 0 }
  const byTime = new Map<number, Record<string, unknown>>()
  const refusals: Refused[] = []
  for (const [index, record] of (json as JsonObject[]).entries()) {
    takeBase(base, record)
    const refusal = takeRecord(record, { base, kind, byTime, receivedAtMs: message.receivedAtMs })
    if (!refusal) continue
    const element = toStandalone(record, base, message.receivedAtMs)
    refusals.push({ ...refusal, detail: `Record ${index}: ${refusal.detail}`, element })
  }
  const readings = Array.from(byTime, ([time, metrics]) => ({ time, metrics }))
  return { type: 'readings', readings: [...readings, ...refusals], toPayload: toPack }
}

/** A reading's values are in our units already, so their records say none. */
function toPack({ time, metrics }: RawReading): unknown {
  const t = Number(time) / SECOND_MS
  return Object.entries(metrics).map(([n, value]) => ({ n, t, [toValueField(value)]: value }))
}

function toValueField(value: unknown): string {
  if (typeof value === 'number') return 'v'
  return typeof value === 'boolean' ? 'vb' : 'vs'
}

/** A record with all that it takes from those before it and from the time of its arrival. */
function toStandalone(record: JsonObject, base: Base, receivedAtMs: number): unknown {
  const t = toTimeMs(base.bt + ((record.t as number | undefined) ?? 0), receivedAtMs) / SECOND_MS
  return [{ ...record, ...base, bt: 0, t }]
}

/** What makes the whole pack unreadable: every later record builds upon those before it. */
function judgePack(records: readonly unknown[]): Refused | undefined {
  if (records.length === 0) return refused('invalid-payload', 'The SenML pack has no record')
  for (const [index, record] of records.entries()) {
    const mistake = isObject(record) ? judgeRecord(record) : `must be an object, got ${describeJson(record)}`
    if (mistake !== undefined) return refused('invalid-payload', `Record ${index}: ${mistake}`)
  }
  return undefined
}

function judgeRecord(record: JsonObject): string | undefined {
  for (const [name, value] of Object.entries(record)) {
    const wanted = FIELDS.get(name)
    if (wanted === undefined) {
      if (name.endsWith('_')) return `the field '${name}' must be understood, and is not`
    } else if (typeof value !== wanted || (wanted === 'number' && !Number.isFinite(value))) {
      return `${name} must be a ${wanted}, got ${describeJson(value)}`
    }
  }
  const { bver = VERSION } = record
  if (bver === VERSION_WITH_SECONDARY_UNITS) return undefined
  if (typeof bver === 'number' && bver >= 1 && bver <= VERSION && Number.isInteger(bver)) return undefined
  return `the SenML version ${String(bver)} is not understood, only up to ${VERSION}, and ${VERSION_WITH_SECONDARY_UNITS}`
}

function takeBase(base: Base, { bn, bt, bu, bv, bs }: JsonObject): void {
  if (typeof bn === 'string') base.bn = bn
  if (typeof bt === 'number') base.bt = bt
  if (typeof bu === 'string') base.bu = bu
  if (typeof bv === 'number') base.bv = bv
  if (typeof bs === 'number') base.bs = bs
}

/** Puts a record's value to the others of its time, or says why not. */
function takeRecord(
  record: JsonObject,
  context: { base: Base; kind: Kind; byTime: Map<number, Record<string, unknown>>; receivedAtMs: number },
): Refused | undefined {
  const { base, kind, byTime } = context
  const values = ['v', 'vs', 'vb', 'vd'].filter((name) => Object.hasOwn(record, name))
  const hasSum = Object.hasOwn(record, 's')
  // A record may be there for its base fields alone.
  if (values.length === 0 && !hasSum && !Object.hasOwn(record, 'n')) return undefined
  if (values.length > 1) return refused('invalid-payload', `has more than one value: ${values.join(', ')}`)
  if (values.length === 0 && !hasSum) return refused('invalid-payload', 'has neither a value nor a sum')
  const name = toName(base.bn, record.n)
  if (typeof name !== 'string') return name
  const timeMs = toTimeMs(base.bt + ((record.t as number | undefined) ?? 0), context.receivedAtMs)
  if (parseTime(timeMs) === undefined) {
    return { ...refused('invalid-time', 'its time is none of this century'), metric: name }
  }
  const metric = Object.hasOwn(kind.metrics, name) ? kind.metrics[name] : undefined
  const value = toMetricValue({ record, base, name, metric })
  if (typeof value === 'object') return { ...value, metric: name }
  let metrics = byTime.get(timeMs)
  if (!metrics) byTime.set(timeMs, (metrics = {}))
  if (Object.hasOwn(metrics, name) && metrics[name] !== value) {
    return { ...refused('invalid-payload', `${name} has another value at the same time`), metric: name }
  }
  // An assignment to `__proto__` would make no metric, and the record would be gone without being counted.
  Object.defineProperty(metrics, name, { value, enumerable: true, configurable: true, writable: true })
  return undefined
}

/** Which metric a record is about; the name as a whole must be one that SenML allows. */
function toName(baseName: string, ownName: unknown): string | Refused {
  const own = typeof ownName === 'string' ? ownName : ''
  const whole = baseName + own
  if (!NAME.test(whole))
    return refused('invalid-payload', whole === '' ? 'has no name' : `'${whole}' is no SenML name`)
  const last = (own === '' ? baseName : own).split(/[/:]/).at(-1) ?? ''
  return last === '' ? refused('invalid-payload', `the name '${whole}' ends with no metric`) : last
}

function toTimeMs(seconds: number, receivedAtMs: number): number {
  const ms = Math.round(seconds * SECOND_MS)
  return seconds < FIRST_ABSOLUTE_S ? receivedAtMs + ms : ms
}
