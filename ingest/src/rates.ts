import { SECOND_MS, type Clock } from '@pulso/model'

const SLOTS = 11

/** How many a second, over the last ten whole seconds. */
export interface Rate {
  add(count: number): void
  perSecond(): number
}

export function createRate(clock: Clock): Rate {
  const slots: { second: number; count: number }[] = Array.from({ length: SLOTS }, () => ({
    second: -1,
    count: 0,
  }))
  const now = (): number => Math.floor(clock.now() / SECOND_MS)
  return {
    add(count) {
      const second = now()
      const slot = slots[second % SLOTS]
      if (!slot) return
      if (slot.second !== second) Object.assign(slot, { second, count: 0 })
      slot.count += count
    },
    perSecond() {
      const second = now()
      const whole = slots.filter((slot) => slot.second < second && slot.second >= second - (SLOTS - 1))
      return whole.reduce((sum, { count }) => sum + count, 0) / (SLOTS - 1)
    },
  }
}
