import { badRequest } from '../../http/query.ts'
import type { Attribute } from './attributes.ts'
import type { Entity } from './entities.ts'

/** How entities are written. */
export interface Representation {
  isSimplified: boolean
  /** With `createdAt` and `modifiedAt`. */
  hasSystemTimes: boolean
  /** These attributes alone. */
  attributes: ReadonlySet<string> | undefined
  /** In each entity's `@context`; absent where the answer's Link header says it. */
  context: string | undefined
}

const OPTIONS = ['normalized', 'keyValues', 'simplified', 'sysAttrs'] as const

/** `options=a,b`. @throws AppError `unknown-option` (400) */
export function parseOptions(
  text: string | undefined,
): Pick<Representation, 'isSimplified' | 'hasSystemTimes'> {
  const options = toNames(text)
  for (const option of options) {
    if (!OPTIONS.some((known) => known === option))
      throw badRequest('unknown-option', `'options' may be ${OPTIONS.join(', ')}`)
  }
  return {
    isSimplified: options.includes('keyValues') || options.includes('simplified'),
    hasSystemTimes: options.includes('sysAttrs'),
  }
}

export function toNames(text: string | undefined): string[] {
  return (text ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
}

export function represent(entity: Entity, representation: Representation): Record<string, unknown> {
  const { isSimplified, hasSystemTimes, attributes, context } = representation
  const { id, type, createdAt, modifiedAt } = entity
  const written: Record<string, unknown> = { id, type }
  for (const [name, attribute] of entity.readAll()) {
    if (attributes && !attributes.has(name)) continue
    written[name] = isSimplified ? simplify(attribute) : attribute
  }
  if (hasSystemTimes && createdAt !== undefined) Object.assign(written, { createdAt, modifiedAt })
  if (context !== undefined) written['@context'] = context
  return written
}

function simplify(attribute: Attribute): unknown {
  if (attribute.type === 'Relationship') return attribute.object
  const { value } = attribute
  return typeof value === 'object' && value !== null && '@value' in value ? value['@value'] : value
}
