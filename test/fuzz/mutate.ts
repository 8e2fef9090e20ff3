import type { Random } from '../chaos/support/random.ts'

/** Bytes that parsers stumble over. */
const HOSTILE_BYTES = [0x00, 0x01, 0x7f, 0x80, 0xc0, 0xff, 0xfe, 0xed, 0x22, 0x5c, 0x5b, 0x7b, 0x2c]

const BYTE_MUTATIONS: readonly ((bytes: Buffer, random: Random) => Buffer)[] = [
  (bytes, random) => {
    const flipped = Buffer.from(bytes)
    const index = random.between(0, flipped.length - 1)
    flipped[index] = (flipped[index] ?? 0) ^ (1 << random.between(0, 7))
    return flipped
  },
  (bytes, random) => {
    const changed = Buffer.from(bytes)
    changed[random.between(0, changed.length - 1)] = random.pick(HOSTILE_BYTES)
    return changed
  },
  (bytes, random) => bytes.subarray(0, random.between(0, bytes.length - 1)),
  (bytes, random) => bytes.subarray(random.between(0, bytes.length - 1)),
  (bytes, random) => {
    const at = random.between(0, bytes.length)
    const inserted = random.bytes(random.between(1, 8))
    return Buffer.concat([bytes.subarray(0, at), inserted, bytes.subarray(at)])
  },
  (bytes, random) => {
    const from = random.between(0, bytes.length - 1)
    const end = random.between(from, Math.min(bytes.length, from + 64))
    return Buffer.concat([bytes.subarray(0, end), bytes.subarray(from)])
  },
  (bytes, random) => {
    const from = random.between(0, bytes.length - 1)
    return Buffer.concat([bytes.subarray(0, from), bytes.subarray(random.between(from, bytes.length))])
  },
]

/** One to four changes, each of a few bytes. */
export function mutateBytes(bytes: Buffer, random: Random): Buffer {
  let mutated = bytes
  for (let left = random.between(1, 4); left > 0; left--) {
    if (mutated.length === 0) return random.bytes(random.between(0, 16))
    mutated = random.pick(BYTE_MUTATIONS)(mutated, random)
  }
  return mutated
}

/** JSON texts that are hard to handle, some of which no JSON may hold. */
const HOSTILE_JSON = [
  'null',
  'true',
  '""',
  '{}',
  '[]',
  '[[]]',
  '[null]',
  '-0',
  '1e999',
  '-1e999',
  '1e-400',
  '5e-324',
  '9007199254740993',
  '-9223372036854775809',
  '184467440737095516160000',
  '0.1e+308',
  '01',
  '+1',
  '.5',
  'NaN',
  'Infinity',
  '-Infinity',
  'undefined',
  '0x10',
  '"NaN"',
  '"1"',
  '"\\ud800"',
  '"\\udc00\\ud800"',
  '"\\u0000"',
  '"\\uFEFF"',
  '"__proto__"',
  '{"__proto__":{"polluted":1}}',
  '{"constructor":{"prototype":{"polluted":1}}}',
  '{"toString":1,"valueOf":2,"hasOwnProperty":3}',
  '{"length":1e9}',
  '"2026-02-30T00:00:00Z"',
  '"0000-00-00T00:00:00Z"',
  '"+275760-09-13T00:00:00.001Z"',
  '8640000000000001',
  '-8640000000000000',
  '"AAAA===="',
  '"====" ',
  '"//8="',
]

const HOSTILE_KEYS = [
  '__proto__',
  'constructor',
  'toString',
  'time',
  'ts',
  'values',
  '',
  ' ',
  '\\u0000',
  'bn',
]

/** Writes a value as JSON, with some of its parts replaced, renamed, doubled or left out. */
export function writeHostileJson(value: unknown, random: Random, hostility = 0.08): string {
  if (random.chance(hostility)) return writeHostileValue(random)
  if (Array.isArray(value)) {
    const items = value.flatMap((item) => {
      const text = writeHostileJson(item, random, hostility)
      if (random.chance(hostility / 2)) return []
      return random.chance(hostility / 2) ? [text, text] : [text]
    })
    return `[${items.join(',')}]`
  }
  if (typeof value === 'object' && value !== null) {
    const fields = Object.entries(value).flatMap(([name, item]) => {
      if (random.chance(hostility / 2)) return []
      const key = random.chance(hostility / 2) ? `"${random.pick(HOSTILE_KEYS)}"` : JSON.stringify(name)
      const field = `${key}:${writeHostileJson(item, random, hostility)}`
      return random.chance(hostility / 2) ? [field, `${key}:${writeHostileValue(random)}`] : [field]
    })
    return `{${fields.join(',')}}`
  }
  return JSON.stringify(value)
}

function writeHostileValue(random: Random): string {
  if (random.chance(0.01)) return writeLarge(random)
  return random.pick(HOSTILE_JSON)
}

/** Deep, long or many: rare, because each takes its time. */
function writeLarge(random: Random): string {
  const count = random.between(100, 5_000)
  return random.pick([
    () => '['.repeat(count) + ']'.repeat(count),
    () => '{"a":'.repeat(count) + '1' + '}'.repeat(count),
    () => '['.repeat(count),
    () => `"${'x'.repeat(count)}"`,
    () => `"${'\\ud83d'.repeat(count)}"`,
    () => `[${'1,'.repeat(count)}1]`,
    () => `[${'{},'.repeat(count)}{}]`,
    () => '9'.repeat(count),
    () => `{${Array.from({ length: count }, (_, index) => `"k${index}":${index}`).join()}}`,
  ])()
}
