import { createRandom } from '../../../simulators/src/random.ts'

/** Chance from a seed: the same seed draws the same, so that what it led to can be led to again. */
export interface Random {
  /** 0 ≤ x < 1 */
  unit(): number
  /** A whole number, both ends included. */
  between(from: number, to: number): number
  chance(probability: number): boolean
  pick<T>(list: readonly T[]): T
  bytes(count: number): Buffer
}

export function createSeededRandom(seed: number): Random {
  const unit = createRandom(seed)
  const between = (from: number, to: number): number => from + Math.floor(unit() * (to - from + 1))
  return {
    unit,
    between,
    chance: (probability) => unit() < probability,
    pick<T>(list: readonly T[]): T {
      if (list.length === 0) throw new Error('nothing to pick from')
      return list[between(0, list.length - 1)] as T
    },
    bytes(count) {
      const bytes = Buffer.allocUnsafe(count)
      for (let index = 0; index < count; index++) bytes[index] = between(0, 255)
      return bytes
    },
  }
}
