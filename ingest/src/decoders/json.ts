import { messageOf } from '@pulso/model'
import { refused, type Refused } from './decoder.ts'
import { parseText } from './text.ts'

export type JsonObject = Record<string, unknown>

/** A payload that should be JSON: its value, or why there is none. */
export function parseJson(payload: Uint8Array): { json: unknown } | Refused {
  if (payload.byteLength === 0) return refused('empty-payload', 'The payload is empty')
  const text = parseText(payload)
  if (text === undefined) return refused('invalid-json', 'The payload is not UTF-8 text')
  try {
    return { json: JSON.parse(text) as unknown }
  } catch (error) {
    return refused('invalid-json', `The payload is not JSON: ${messageOf(error)}`)
  }
}

export function isObject(json: unknown): json is JsonObject {
  return typeof json === 'object' && json !== null && !Array.isArray(json)
}

/** The object under a name, or an empty one: what others send is optional at every level. */
export function objectAt(json: JsonObject, name: string): JsonObject {
  const value = Object.hasOwn(json, name) ? json[name] : undefined
  return isObject(value) ? value : {}
}

export function describeJson(json: unknown): string {
  if (json === null) return 'null'
  if (Array.isArray(json)) return 'an array'
  return typeof json === 'object' ? 'an object' : `a ${typeof json}`
}
