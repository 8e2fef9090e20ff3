import type { Kind } from '@pulso/model'
import type { KeptMessage } from '@pulso/stores'
import {
  refused,
  tooMany,
  type Decoded,
  type DecoderContext,
  type RawReading,
  type Refused,
} from './decoder.ts'
import { toOwnNames } from './foreign-names.ts'
import { describeJson, isObject, parseJson } from './json.ts'

const NUMBER = /^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$/

/**
 * ThingsBoard's device API: `{"ts": ms, "values": {…}}`, or `{…}` without a time, or an array of either. Like there, a
 * text that is a number counts as one.
 */
export function decodeDeviceApi({ payload }: KeptMessage, { kind, limits }: DecoderContext): Decoded {
  const parsed = parseJson(payload)
  if ('type' in parsed) return parsed
  const { json } = parsed
  if (!Array.isArray(json)) {
    const reading = toReading(kind, json)
    return 'type' in reading ? reading : { type: 'readings', readings: [reading] }
  }
  const tooLarge = tooMany(json, limits)
  if (tooLarge) return tooLarge
  const readings = json.map((element: unknown, index): RawReading | Refused => {
    const reading = toReading(kind, element)
    return 'type' in reading
      ? { ...reading, detail: `Element ${index}: ${reading.detail}`, element }
      : reading
  })
  return { type: 'readings', readings, toPayload }
}

function toPayload({ time, metrics }: RawReading): unknown {
  return time === undefined ? metrics : { ts: time, values: metrics }
}

function toReading(kind: Kind, json: unknown): RawReading | Refused {
  if (!isObject(json)) {
    return refused('invalid-payload', `Expected a JSON object with values, got ${describeJson(json)}`)
  }
  if (!Object.hasOwn(json, 'values')) return { time: undefined, metrics: toMetrics(kind, json) }
  const { ts, values } = json
  if (!isObject(values))
    return refused('invalid-payload', `values must be an object, got ${describeJson(values)}`)
  return { time: ts ?? undefined, metrics: toMetrics(kind, values) }
}

function toMetrics(kind: Kind, values: Record<string, unknown>): Record<string, unknown> {
  const metrics = toOwnNames(kind, values)
  for (const [name, value] of Object.entries(metrics)) {
    const isNumber = Object.hasOwn(kind.metrics, name) && kind.metrics[name]?.type === 'number'
    if (isNumber && typeof value === 'string' && NUMBER.test(value)) metrics[name] = Number(value)
  }
  return metrics
}
