import { FORECAST_SLOT_MS, type FreeSeries } from './forecast-series.ts'
import type { LocalClock } from './local-clock.ts'
import { MINUTE_MS } from './time.ts'

const SLOT_MINUTES = FORECAST_SLOT_MS / MINUTE_MS
const SLOTS_A_DAY = (24 * 60) / SLOT_MINUTES

/** With fewer days behind it, nothing is called usual. */
export const MIN_DAYS = 3
/** Together the other working days weigh as much as this many of the same weekday. */
const OTHER_DAYS_WEIGHT = 2
const WORKING_DAYS: readonly number[] = [1, 2, 3, 4, 5]

export interface Usual {
  free: number
  /** How many days it is the mean of. */
  days: number
}

/** What is usual at each weekday and quarter of an hour of the city's clock. */
export interface UsualWeek {
  /** Between two quarters of an hour in proportion; `undefined` with fewer than three days to go by. */
  at(timeMs: number): Usual | undefined
  /** At a slot of the series that it was learnt from, as it would be without that day. */
  without(index: number): number | undefined
}

/**
 * Learns the usual week. A working day goes by the same weekday and, as far as two weeks of it, by the other working days;
 * Saturdays and Sundays stand alone. Holidays are not known: they count as the weekday that they fall on.
 */
export function learnUsualWeek({ fromMs, free }: FreeSeries, clock: LocalClock): UsualWeek {
  const sums = new Float64Array(7 * SLOTS_A_DAY)
  const days = new Uint16Array(7 * SLOTS_A_DAY)
  const cells = new Uint16Array(free.length)
  free.forEach((value, index) => {
    const { weekday, minute } = clock(fromMs + index * FORECAST_SLOT_MS)
    const cell = weekday * SLOTS_A_DAY + Math.floor(minute / SLOT_MINUTES)
    cells[index] = cell
    if (Number.isNaN(value)) return
    sums[cell] = (sums[cell] ?? 0) + value
    days[cell] = (days[cell] ?? 0) + 1
  })

  /** @param left a value of this very cell that is taken out */
  const usualOf = (cell: number, left?: number): Usual | undefined => {
    const weekday = Math.floor(cell / SLOTS_A_DAY)
    const slot = cell % SLOTS_A_DAY
    const same = (days[cell] ?? 0) - (left === undefined ? 0 : 1)
    const sameSum = (sums[cell] ?? 0) - (left ?? 0)
    let [others, othersSum] = [0, 0]
    if (WORKING_DAYS.includes(weekday)) {
      for (const other of WORKING_DAYS) {
        if (other === weekday) continue
        others += days[other * SLOTS_A_DAY + slot] ?? 0
        othersSum += sums[other * SLOTS_A_DAY + slot] ?? 0
      }
    }
    // Taking one out to see how the rest would have done may leave one fewer.
    if (same + others < (left === undefined ? MIN_DAYS : MIN_DAYS - 1)) return undefined
    const weight = Math.min(OTHER_DAYS_WEIGHT, others)
    const mean = (sameSum + (others > 0 ? (othersSum / others) * weight : 0)) / (same + weight)
    return { free: mean, days: same + others }
  }

  return {
    at(timeMs) {
      const { weekday, minute } = clock(timeMs)
      const slot = Math.floor(minute / SLOT_MINUTES)
      const share = minute / SLOT_MINUTES - slot
      const before = usualOf(weekday * SLOTS_A_DAY + slot)
      if (!before || share === 0) return before
      // The next quarter by the clock may be another day's, and after a switch another hour's.
      const next = clock(timeMs + (1 - share) * FORECAST_SLOT_MS)
      const after = usualOf(next.weekday * SLOTS_A_DAY + Math.floor(next.minute / SLOT_MINUTES))
      if (!after) return before
      const mean = before.free + (after.free - before.free) * share
      return { free: mean, days: Math.min(before.days, after.days) }
    },
    without(index) {
      const [cell, value = NaN] = [cells[index], free[index]]
      return cell === undefined ? undefined : usualOf(cell, Number.isNaN(value) ? undefined : value)?.free
    },
  }
}
