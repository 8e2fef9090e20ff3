import { AppError } from '@pulso/model'
import { badRequest } from '../../http/query.ts'
import type { Attribute } from './attributes.ts'
import type { Entity } from './entities.ts'

/** Whether an entity is meant. */
export type EntityTest = (entity: Entity) => boolean

/** Deeper or longer expressions are not what a person asks. */
const MAX_DEPTH = 8
const MAX_TERMS = 20

const NAME = /^[A-Za-z_][A-Za-z0-9_-]{0,63}(\.(?:observedAt|unitCode))?/
const OPERATOR = /^(?:==|!=|>=|<=|>|<|~=|!~=)/
const PLAIN_VALUE = /^[^;|(),"]+/
const QUOTED_VALUE = /^"([^"]*)"/

type Value = string | number | boolean
type Operand = { of: 'values'; values: Value[] } | { of: 'range'; from: Value; to: Value }

/**
 * NGSI-LD's `q`: `attribute`, `!attribute`, or an attribute, one of == != < <= > >=, and a value, a list `a,b` or a range
 * `a..b`; `;` is and, `|` is or, with parentheses.
 * @throws AppError `invalid-query` (400), `query-too-complex` (403)
 */
export function parseFilter(text: string): EntityTest {
  let rest = text
  let terms = 0

  const take = (pattern: RegExp): RegExpExecArray | undefined => {
    const match = pattern.exec(rest)
    if (!match) return undefined
    rest = rest.slice(match[0].length)
    return match
  }

  const takeList = (
    separator: string,
    { depth, next }: { depth: number; next: (depth: number) => EntityTest },
  ) => {
    const tests = [next(depth)]
    while (rest.startsWith(separator)) {
      rest = rest.slice(separator.length)
      tests.push(next(depth))
    }
    return tests
  }

  const takeEither = (depth: number): EntityTest => {
    const tests = takeList('|', { depth, next: takeBoth })
    return (entity) => tests.some((test) => test(entity))
  }

  const takeBoth = (depth: number): EntityTest => {
    const tests = takeList(';', { depth, next: takeTerm })
    return (entity) => tests.every((test) => test(entity))
  }

  const takeTerm = (depth: number): EntityTest => {
    terms += 1
    if (depth > MAX_DEPTH || terms > MAX_TERMS) throw tooComplex()
    if (take(/^\(/)) {
      const inner = takeEither(depth + 1)
      if (!take(/^\)/)) throw invalidQuery(rest, 'a ) is missing')
      return inner
    }
    const isAbsent = take(/^!/) !== undefined
    const [path = '', member] = take(NAME) ?? []
    if (path === '') throw invalidQuery(rest, 'an attribute is missing')
    const name = member === undefined ? path : path.slice(0, -member.length)
    const read = (entity: Entity): unknown => toComparable(entity.read(name), member?.slice(1))
    const [operator] = take(OPERATOR) ?? []
    if (isAbsent || operator === undefined) return (entity) => (read(entity) === undefined) === isAbsent
    if (operator.includes('~'))
      throw badRequest('unsupported-operator', 'Patterns (~=) are not offered; there are == != < <= > >=')
    const operand = takeOperand()
    return (entity) => compare(read(entity), { operator, operand })
  }

  const takeOperand = (): Operand => {
    const values: Value[] = []
    do {
      const quoted = take(QUOTED_VALUE)
      const plain = quoted ? undefined : take(PLAIN_VALUE)?.[0].trim()
      if (!quoted && !plain) throw invalidQuery(rest, 'a value is missing')
      const [from = '', to] = plain?.split('..') ?? []
      if (to !== undefined) return { of: 'range', from: toValue(from), to: toValue(to) }
      values.push(quoted ? (quoted[1] ?? '') : toValue(plain ?? ''))
    } while (take(/^,/))
    return { of: 'values', values }
  }

  const test = takeEither(0)
  if (rest !== '') throw invalidQuery(rest, 'it goes on where it should end')
  return test
}

function compare(known: unknown, { operator, operand }: { operator: string; operand: Operand }): boolean {
  if (known === undefined) return false
  // An attribute with several values is met when one of them is.
  const candidates = Array.isArray(known) ? known : [known]
  if (operator === '!=') return !candidates.some((one) => isAmong(one, operand))
  return candidates.some((one) => {
    if (operator === '==') return isAmong(one, operand)
    if (operand.of === 'range' || operand.values.length !== 1) return false
    const order = toOrder(one, operand.values[0])
    if (order === undefined) return false
    if (operator === '<') return order < 0
    if (operator === '<=') return order <= 0
    return operator === '>' ? order > 0 : order >= 0
  })
}

function isAmong(known: unknown, operand: Operand): boolean {
  if (operand.of === 'values') return operand.values.some((value) => toOrder(known, value) === 0)
  const [after, before] = [toOrder(known, operand.from), toOrder(known, operand.to)]
  return after !== undefined && before !== undefined && after >= 0 && before <= 0
}

/** Negative, 0 or positive, as for sorting; `undefined` for what does not compare. */
function toOrder(known: unknown, value: Value | undefined): number | undefined {
  if (typeof known === 'number') return typeof value === 'number' ? known - value : undefined
  if (typeof known !== 'string' || value === undefined) return known === value ? 0 : undefined
  const text = String(value)
  const [knownMs, valueMs] = [toTimeMs(known), toTimeMs(text)]
  if (knownMs !== undefined && valueMs !== undefined) return knownMs - valueMs
  return known === text ? 0 : known < text ? -1 : 1
}

function toTimeMs(text: string): number | undefined {
  if (!/^\d{4}-\d{2}-\d{2}T/.test(text)) return undefined
  const timeMs = Date.parse(text)
  return Number.isNaN(timeMs) ? undefined : timeMs
}

function toComparable(attribute: Attribute | undefined, member: string | undefined): unknown {
  if (!attribute) return undefined
  if (member !== undefined)
    return attribute.type === 'Property' ? attribute[member as 'observedAt' | 'unitCode'] : undefined
  if (attribute.type === 'Relationship') return attribute.object
  const { value } = attribute
  return typeof value === 'object' && value !== null && '@value' in value ? value['@value'] : value
}

function toValue(text: string): Value {
  if (text === 'true' || text === 'false') return text === 'true'
  const number = text.trim() === '' ? NaN : Number(text)
  return Number.isFinite(number) ? number : text
}

function invalidQuery(rest: string, reason: string): Error {
  const where = rest === '' ? 'at its end' : `at '${rest.slice(0, 20)}'`
  return badRequest(
    'invalid-query',
    `'q' is not a query: ${reason} ${where}. Example: status=="free";occupancy<0.5`,
  )
}

function tooComplex(): AppError {
  return new AppError('query-too-complex', `'q' may have ${MAX_TERMS} conditions, nested ${MAX_DEPTH} deep`, {
    status: 403,
  })
}
