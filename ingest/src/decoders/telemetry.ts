import type { KeptMessage } from '@pulso/stores'
import {
  refused,
  tooMany,
  type Decoded,
  type DecoderContext,
  type RawReading,
  type Refused,
} from './decoder.ts'
import { describeJson, isObject, parseJson } from './json.ts'

/** Our own JSON: an object of metrics with an optional `time`, or an array of them. */
export function decodeTelemetry({ payload }: KeptMessage, { limits }: DecoderContext): Decoded {
  const parsed = parseJson(payload)
  if ('type' in parsed) return parsed
  const { json } = parsed
  if (!Array.isArray(json)) {
    const reading = toRawReading(json)
    return 'type' in reading ? reading : { type: 'readings', readings: [reading] }
  }
  return tooMany(json, limits) ?? { type: 'readings', readings: json.map(toElement) }
}

function toElement(element: unknown, index: number): RawReading | Refused {
  const reading = toRawReading(element)
  return 'type' in reading ? { ...reading, detail: `Element ${index}: ${reading.detail}`, element } : reading
}

/** An object as we want it; the object itself is taken over and changed. */
export function toRawReading(json: unknown): RawReading | Refused {
  if (!isObject(json)) {
    return refused('invalid-payload', `Expected a JSON object with metrics, got ${describeJson(json)}`)
  }
  // JSON.parse makes own properties only, so `__proto__` is a name like any other here.
  const time = json.time ?? undefined
  // No metric has this name, and no value is no metric: cheaper than a copy of the object without it.
  if (time !== undefined) json.time = undefined
  return { time, metrics: json }
}
