import fc from 'fast-check'
import type { NamedOperation, Parameter, Schema } from './http-document.ts'

export interface HttpCase {
  operation: NamedOperation
  method: string
  /** With its query, as it is sent. */
  url: string
  headers: Record<string, string>
  body: string | undefined
}

/** What people, programs and attackers write where something else is expected. */
const HOSTILE: readonly string[] = [
  '',
  ' ',
  ',',
  ',,,',
  '0',
  '-0',
  '-1',
  '+1',
  '1.5',
  '1e3',
  '1e309',
  '-1e-400',
  '0x10',
  '0b1',
  '1_000',
  '٣',
  'NaN',
  'Infinity',
  'null',
  'undefined',
  'true',
  '[]',
  '{}',
  '{"$ne":null}',
  '9'.repeat(40),
  '9007199254740993',
  '4294967296',
  '2147483648',
  '\u0000',
  'a\u0000b',
  '\r\nset-cookie: a=b',
  '\uFEFF',
  '\u202Egnp.exe',
  '🚗'.repeat(20),
  'ñandú',
  'e\u0301',
  "' OR '1'='1",
  "'; DROP TABLE sensors; --",
  '" OR ""="',
  'a) UNION SELECT * FROM credentials --',
  '%27%20OR%201=1',
  '$(id)',
  '`id`',
  '${7*7}',
  '{{7*7}}',
  '<script>alert(1)</script>',
  '../../etc/passwd',
  '..\\..\\windows',
  '....//',
  '%2e%2e%2f',
  '%',
  '%zz',
  '%E0%A4%A',
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  'a'.repeat(65),
  'a'.repeat(300),
  'a'.repeat(5_000),
  '*',
  '?',
  '#',
  '&',
  '=',
  ';',
  '|',
  '\\',
  '/',
  '.',
  '..',
  '-',
  // Times that are none, or not what they seem.
  '0000-01-01T00:00:00Z',
  '0001-01-01T00:00:00Z',
  '9999-12-31T23:59:59Z',
  '+275760-09-13T00:00:00Z',
  '+275760-09-13T00:00:00.001Z',
  '-000001-01-01T00:00:00Z',
  '2016-12-31T23:59:60Z',
  '2026-02-29T00:00:00Z',
  '2026-02-30T00:00:00Z',
  '2026-13-01T00:00:00Z',
  '2026-06-31T24:00:00Z',
  '2026-06-01T25:00:00Z',
  '2026-06-01T00:00:00+24:00',
  '2026-06-01T00:00:00+99:99',
  '2026-06-01T00:00:00.123456789123Z',
  '2026-03-29T02:30:00',
  '2026-03-29T02:30:00+01:00',
  '2026-10-25T02:30:00',
  '2026-10-25T02:30:00+02:00',
  '2026-10-25T02:30:00+01:00',
  '2026-06-01',
  '2026-W23-1',
  'yesterday',
  '1780000000',
  '1780000000000',
  // Boxes and places.
  '-3.81,43.45,-3.79,43.47',
  '43.45,-3.81,43.47,-3.79',
  '-3.79,43.45,-3.81,43.47',
  '-180,-90,180,90',
  '179,-1,-179,1',
  '-181,0,0,1',
  '0,0,0,0',
  '-0,-0,0,0',
  '1,2,3',
  '1,2,3,4,5,6',
  '43.46',
  '-3.8',
  '91',
  '-181',
]

/** Real words of the installation: ids, metrics, states, zones. They make valid requests, and valid ones in wrong places. */
export type Vocabulary = readonly string[]

/** Requests of every operation that the document names: some as it says, most with something wrong in one place or two. */
export function createHttpCases(
  operations: readonly NamedOperation[],
  vocabulary: Vocabulary,
): fc.Arbitrary<HttpCase> {
  return fc.constantFrom(...operations).chain((operation) => toCase(operation, vocabulary))
}

function toCase(operation: NamedOperation, vocabulary: Vocabulary): fc.Arbitrary<HttpCase> {
  const { parameters = [], requestBody } = operation.operation
  const of = (place: Parameter['in']): Parameter[] => parameters.filter((parameter) => parameter.in === place)
  const content = requestBody?.content['application/json']
  return fc
    .record({
      path: fc.tuple(...of('path').map((parameter) => toValue(parameter, vocabulary, 3))),
      query: fc.tuple(...of('query').map((parameter) => toQuery(parameter, vocabulary))),
      further: fc.oneof(
        { weight: 12, arbitrary: fc.constant('') },
        { weight: 1, arbitrary: toFurther(vocabulary) },
      ),
      headers: toHeaders(of('header'), vocabulary),
      method: fc.oneof(
        { weight: 30, arbitrary: fc.constant(operation.method) },
        { weight: 1, arbitrary: fc.constantFrom('HEAD', 'PUT', 'PATCH', 'OPTIONS', 'POST', 'DELETE') },
      ),
      body: content ? toBody(content.example) : fc.constant(undefined),
    })
    .map(({ path, query, further, headers, method, body }) => {
      let url = operation.path
      of('path').forEach(({ name }, index) => (url = url.replace(`{${name}}`, toText(path[index] ?? ''))))
      const text = [...query.flat(), further].filter((part) => part !== '').join('&')
      // Bytes behind a method that carries none would be read as the next request.
      const sent = ['POST', 'PUT', 'PATCH', 'DELETE'].includes(method) ? body : undefined
      const type = sent === undefined ? {} : { 'content-type': 'application/json' }
      return {
        operation,
        method,
        url: text ? `${url}?${text}` : url,
        headers: { ...type, ...headers },
        body: sent,
      }
    })
}

/** A value as it stands in an address. Some escapes are broken on purpose: they are sent as they are. */
function toText(value: string): string {
  return /^%[0-9A-Za-z%]*$/.test(value) ? value : encodeURIComponent(value.toWellFormed())
}

function toQuery(parameter: Parameter, vocabulary: Vocabulary): fc.Arbitrary<string[]> {
  const once = toValue(parameter, vocabulary, 4).map((value) => [`${parameter.name}=${toText(value)}`])
  const twice = fc.tuple(once, once).map((both) => both.flat())
  return fc.oneof(
    { weight: parameter.required ? 2 : 12, arbitrary: fc.constant<string[]>([]) },
    { weight: 16, arbitrary: once },
    { weight: 1, arbitrary: twice },
  )
}

/** @param validWeight how many values are as the document says for each that is not */
function toValue(
  { schema, example }: Parameter,
  vocabulary: Vocabulary,
  validWeight: number,
): fc.Arbitrary<string> {
  const valid = toValid(schema, example)
  const words = vocabulary.length > 0 ? fc.constantFrom(...vocabulary) : fc.constant('word')
  return fc.oneof(
    { weight: validWeight * 2, arbitrary: valid ?? words },
    { weight: validWeight, arbitrary: words },
    { weight: 2, arbitrary: fc.constantFrom(...HOSTILE) },
    { weight: 1, arbitrary: fc.tuple(words, fc.constantFrom(...HOSTILE)).map(([word, odd]) => word + odd) },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
    { weight: 1, arbitrary: fc.double().map(String) },
    { weight: 1, arbitrary: toTime() },
  )
}

function toValid(schema: Schema, example: unknown): fc.Arbitrary<string> | undefined {
  const given = [example, schema.example, ...(schema.examples ?? []), ...(schema.enum ?? [])].filter(
    (value) => value !== undefined,
  )
  const { minimum = -1_000, maximum = 1_000 } = schema
  if (schema.type === 'integer')
    return fc.oneof(
      fc.integer({ min: minimum, max: maximum }).map(String),
      fc.constantFrom(String(minimum), String(maximum)),
    )
  if (schema.type === 'number') return fc.double({ min: minimum, max: maximum, noNaN: true }).map(String)
  return given.length > 0 ? fc.constantFrom(...given.map(String)) : undefined
}

function toTime(): fc.Arbitrary<string> {
  const near = fc.date({ min: new Date('2025-01-01'), max: new Date('2027-12-31'), noInvalidDate: true })
  return near.map((date) => date.toISOString())
}

function toFurther(vocabulary: Vocabulary): fc.Arbitrary<string> {
  const names = [...HOSTILE, ...vocabulary, 'kind[]', 'kind[0]', 'filter[kind]', 'limit', 'LIMIT', 'callback']
  const one = fc
    .tuple(fc.constantFrom(...names), fc.constantFrom(...HOSTILE))
    .map(([name, value]) => `${toText(name)}=${toText(value)}`)
  return fc.oneof(
    { weight: 8, arbitrary: one },
    { weight: 2, arbitrary: fc.array(one, { maxLength: 30 }).map((parts) => parts.join('&')) },
    { weight: 1, arbitrary: fc.constant(Array.from({ length: 900 }, (_, index) => `p${index}=1`).join('&')) },
    {
      weight: 1,
      arbitrary: fc.constant(Array.from({ length: 5_000 }, (_, index) => `p${index}=1`).join('&')),
    },
  )
}

function toHeaders(
  parameters: readonly Parameter[],
  vocabulary: Vocabulary,
): fc.Arbitrary<Record<string, string>> {
  const plain = [
    '*',
    '"x"',
    'W/"x"',
    'br',
    'gzip, br;q=0',
    'identity;q=0',
    'text/html',
    'application/xml',
    'nonsense',
    ';;,,',
  ]
  const names = [
    ...parameters.map(({ name }) => name),
    'if-none-match',
    'accept-encoding',
    'accept',
    'range',
    'last-event-id',
    'x-forwarded-for',
    'if-modified-since',
  ]
  const value = fc
    .constantFrom(...plain, ...HOSTILE, ...vocabulary)
    .filter((text) => /^[\x20-\x7e]*$/.test(text))
  return fc.dictionary(fc.constantFrom(...names), value, { maxKeys: 2, noNullPrototype: true })
}

function toBody(example: unknown): fc.Arbitrary<string> {
  const valid = JSON.stringify(example ?? {})
  const cut = fc.nat({ max: valid.length }).map((length) => valid.slice(0, length))
  const other = fc.oneof(fc.json(), fc.constantFrom(...HOSTILE), fc.constant(`{"x":"${'y'.repeat(20_000)}"}`))
  const changed = fc.constantFrom(...HOSTILE).map((odd) => {
    const fields = typeof example === 'object' && example !== null ? Object.keys(example) : []
    return JSON.stringify(Object.fromEntries(fields.map((name) => [name, odd])))
  })
  return fc.oneof({ weight: 1, arbitrary: fc.constant(valid) }, { weight: 1, arbitrary: cut }, other, changed)
}
