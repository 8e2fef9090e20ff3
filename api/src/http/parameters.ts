import { clip } from '@pulso/model'
import type { TSchema } from 'typebox'
import { badRequest } from './query.ts'

/**
 * Refuses what a route would otherwise pass over in silence: a misspelt filter gives everything, and of two values that
 * contradict each other one would win.
 * @returns a check that throws AppError `unknown-parameter`, `repeated-parameter`, `invalid-url` (400)
 */
export function createParameterCheck(
  schema: TSchema | undefined,
): (text: string, query: Readonly<Record<string, unknown>>) => void {
  const properties: Record<string, { type?: unknown }> =
    schema && 'properties' in schema ? (schema.properties as Record<string, { type?: unknown }>) : {}
  const names = Object.keys(properties)
  const known = new Set(names)
  const lists = new Set(names.filter((name) => properties[name]?.type === 'array'))
  return (text, query) => {
    if (text.includes('%')) checkEncoding(text)
    for (const name in query) {
      if (!known.has(name)) throw unknownParameter(name, names)
      if (Array.isArray(query[name]) && !lists.has(name))
        throw badRequest(
          'repeated-parameter',
          `'${name}' may be given once only; where it takes several values, write them with commas: ${name}=a,b`,
        )
    }
  }
}

function unknownParameter(name: string, names: readonly string[]): Error {
  const there = names.length > 0 ? `there are ${names.join(', ')}` : 'this address takes none'
  const plain = /^(.+)\[.*\]$/.exec(name)?.[1]
  const hint = plain !== undefined && names.includes(plain) ? ` Write ${plain}=a,b for several values` : ''
  return badRequest(
    'unknown-parameter',
    `There is no parameter '${clip(name)}' here; ${there}${hint ? '.' : ''}${hint}`,
  )
}

/** A broken escape would be taken as text: what was meant, nobody knows. */
function checkEncoding(text: string): void {
  try {
    decodeURIComponent(text)
  } catch {
    throw badRequest(
      'invalid-url',
      'The query is not a valid one: a % must be followed by two hexadecimal digits, and the bytes must be UTF-8',
    )
  }
}
