import { messageOf } from '@pulso/model'
import { refused, type Decoded, type DecoderLimits, type RawReading, type Refused } from './decoder.ts'
import { parseText } from './text.ts'

/** Our own JSON: an object of metrics with an optional `time`, or an array of them. */
export function decodeTelemetry(payload: Uint8Array, limits: DecoderLimits): Decoded {
  if (payload.byteLength === 0) return refused('empty-payload', 'The payload is empty')
  const text = parseText(payload)
  if (text === undefined) return refused('invalid-json', 'The payload is not UTF-8 text')
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    return refused('invalid-json', `The payload is not JSON: ${messageOf(error)}`)
  }
  if (!Array.isArray(json)) {
    const reading = toRawReading(json)
    return 'type' in reading ? reading : { type: 'readings', readings: [reading] }
  }
  if (json.length > limits.objectsPerMessage) {
    const detail = `A batch of ${json.length} objects is more than the ${limits.objectsPerMessage} allowed`
    return refused('batch-too-large', detail)
  }
  return { type: 'readings', readings: json.map(toElement) }
}

function toElement(element: unknown, index: number): RawReading | Refused {
  const reading = toRawReading(element)
  return 'type' in reading ? { ...reading, detail: `Element ${index}: ${reading.detail}`, element } : reading
}

function toRawReading(json: unknown): RawReading | Refused {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    return refused('invalid-payload', `Expected a JSON object with metrics, got ${describe(json)}`)
  }
  // JSON.parse makes own properties only, so `__proto__` is a name like any other here.
  const metrics = json as Record<string, unknown>
  const time = metrics.time ?? undefined
  // No metric has this name, and no value is no metric: cheaper than a copy of the object without it.
  if (time !== undefined) metrics.time = undefined
  return { time, metrics }
}

function describe(json: unknown): string {
  if (json === null) return 'null'
  return Array.isArray(json) ? 'an array' : `a ${typeof json}`
}
