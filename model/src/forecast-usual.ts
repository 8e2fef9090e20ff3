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
}

/** By weekday and quarter of an hour, Sunday's midnight first. */
interface Week {
  sums: Float64Array
  days: Uint16Array
}

/**
 * Learns the usual week. A working day goes by the same weekday and, as far as two weeks of it, by the other working days;
 * Saturdays and Sundays stand alone. Holidays are not known: they count as the weekday that they fall on.
 * @returns the week, and what would be usual at each slot of the series if that day had not been seen (NaN: nobody knows)
 */
export function learnUsualWeek(
  { fromMs, free }: FreeSeries,
  clock: LocalClock,
): { usual: UsualWeek; without: Float64Array } {
  const week: Week = { sums: new Float64Array(7 * SLOTS_A_DAY), days: new Uint16Array(7 * SLOTS_A_DAY) }
  const cells = Uint16Array.from(free, (_, index) => cellAt(clock, fromMs + index * FORECAST_SLOT_MS))
  free.forEach((value, index) => {
    const cell = cells[index]
    if (cell === undefined || Number.isNaN(value)) return
    week.sums[cell] = (week.sums[cell] ?? 0) + value
    week.days[cell] = (week.days[cell] ?? 0) + 1
  })
  const without = free.map((value, index) => usualOf(week, cells[index] ?? 0, value)?.free ?? NaN)
  return { usual: createUsualWeek(week, clock), without }
}

/** Keeps the week alone: the history it was learnt from is much larger. */
function createUsualWeek(week: Week, clock: LocalClock): UsualWeek {
  return {
    at(timeMs) {
      const before = usualOf(week, cellAt(clock, timeMs))
      const share = (clock(timeMs).minute / SLOT_MINUTES) % 1
      if (!before || share === 0) return before
      // The next quarter by the clock may be another day's, and after a switch another hour's.
      const after = usualOf(week, cellAt(clock, timeMs + (1 - share) * FORECAST_SLOT_MS))
      if (!after) return before
      const mean = before.free + (after.free - before.free) * share
      return { free: mean, days: Math.min(before.days, after.days) }
    },
  }
}

/** @param left a value of this very cell that is taken out; NaN and nothing are none */
function usualOf({ sums, days }: Week, cell: number, left = NaN): Usual | undefined {
  const isLeftOut = !Number.isNaN(left)
  const same = (days[cell] ?? 0) - (isLeftOut ? 1 : 0)
  const sameSum = (sums[cell] ?? 0) - (isLeftOut ? left : 0)
  const weekday = Math.floor(cell / SLOTS_A_DAY)
  let [others, othersSum] = [0, 0]
  for (const other of WORKING_DAYS.includes(weekday) ? WORKING_DAYS : []) {
    if (other === weekday) continue
    const otherCell = cell + (other - weekday) * SLOTS_A_DAY
    others += days[otherCell] ?? 0
    othersSum += sums[otherCell] ?? 0
  }
  // Taking one out to see how the rest would have done may leave one fewer.
  if (same + others < (isLeftOut ? MIN_DAYS - 1 : MIN_DAYS)) return undefined
  const weight = Math.min(OTHER_DAYS_WEIGHT, others)
  const mean = (sameSum + (others > 0 ? (othersSum / others) * weight : 0)) / (same + weight)
  return { free: mean, days: same + others }
}

function cellAt(clock: LocalClock, timeMs: number): number {
  const { weekday, minute } = clock(timeMs)
  return weekday * SLOTS_A_DAY + Math.floor(minute / SLOT_MINUTES)
}
