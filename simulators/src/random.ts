/**
 * Chance that can be asked again: the same seed and keys always give the same number, in any order and after any
 * restart. Nothing here holds a state between calls but `createRandom`.
 */

const FNV_OFFSET = 0x811c9dc5
const FNV_PRIME = 0x01000193
const TWO_TO_32 = 0x1_0000_0000

export type Key = string | number

/** A 32-bit hash of the seed and the keys: FNV-1a, finished with MurmurHash3's mixer. */
export function hash(seed: number, ...keys: readonly Key[]): number {
  let state = mixNumber(FNV_OFFSET, seed)
  for (const key of keys) state = typeof key === 'number' ? mixNumber(state, key) : mixText(state, key)
  state = Math.imul(state ^ (state >>> 16), 0x85ebca6b)
  state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35)
  return (state ^ (state >>> 16)) >>> 0
}

/** A number in [0, 1) that belongs to the seed and the keys. */
export function hashUnit(seed: number, ...keys: readonly Key[]): number {
  return hash(seed, ...keys) / TWO_TO_32
}

/** A stream of numbers in [0, 1) (mulberry32), for drawing many from one hash. */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / TWO_TO_32
  }
}

/** Smooth noise between -1 and 1: hashed at whole `x`, eased in between. */
export function smoothNoise(seed: number, name: string, x: number): number {
  const left = Math.floor(x)
  const part = x - left
  const eased = part * part * (3 - 2 * part)
  const from = hashUnit(seed, name, left)
  const to = hashUnit(seed, name, left + 1)
  return (from + (to - from) * eased) * 2 - 1
}

function mixText(state: number, text: string): number {
  let mixed = state
  for (let i = 0; i < text.length; i++) mixed = Math.imul(mixed ^ text.charCodeAt(i), FNV_PRIME)
  return Math.imul(mixed ^ 0xff, FNV_PRIME)
}

function mixNumber(state: number, value: number): number {
  const low = value | 0
  const high = Math.floor(value / TWO_TO_32) | 0
  let mixed = Math.imul(state ^ (low & 0xffff), FNV_PRIME)
  mixed = Math.imul(mixed ^ (low >>> 16), FNV_PRIME)
  return Math.imul(mixed ^ high, FNV_PRIME)
}
