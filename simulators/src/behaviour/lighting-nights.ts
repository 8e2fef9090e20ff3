import { DAY_MS, HOUR_MS, type Position } from '@pulso/model'
import type { LocalTime } from '../local-time.ts'
import type { LightingNight, LightingNights } from './behaviour.ts'
import { solarDayOf, twilightOf } from './sun.ts'

/** Local time between which the lamps are dimmed. */
const DIM_FROM_MS = 0.5 * HOUR_MS
const DIM_TO_MS = 6 * HOUR_MS
/** Energy counters count from here; before it they stand still. */
const COUNTED_FROM_MS = Date.UTC(2020, 0, 1)
/** After midnight by the sun, this much later it is surely past midnight by the clock. */
const PAST_MIDNIGHT_MS = 3.5 * HOUR_MS

/** The nights of a city's street lighting, from civil dusk to civil dawn, dimmed from half past midnight till six. */
export function createLightingNights(position: Position, localTime: LocalTime): LightingNights {
  const firstIndex = solarDayOf(position, COUNTED_FROM_MS)
  // One entry a night since 2020: it grows by one a day.
  const nights = new Map<number, LightingNight>()
  const sums: { nights: number; full: number; dimmed: number }[] = [{ nights: 0, full: 0, dimmed: 0 }]

  const night = (index: number): LightingNight => {
    const known = nights.get(index)
    if (known) return known
    const { duskMs } = twilightOf(position, index)
    const { dawnMs: offMs } = twilightOf(position, index + 1)
    const solarMidnightMs = (index + 1) * DAY_MS - (position.lon / 360) * DAY_MS
    const midnightMs = localTime.startOfDayMs(solarMidnightMs + PAST_MIDNIGHT_MS)
    // Where the sun hardly sets, dusk and dawn meet.
    const onMs = Math.min(duskMs, offMs)
    const dimFromMs = Math.min(offMs, Math.max(onMs, midnightMs + DIM_FROM_MS))
    const dimToMs = Math.max(dimFromMs, Math.min(offMs, midnightMs + DIM_TO_MS))
    const made = { onMs, dimFromMs, dimToMs, offMs }
    nights.set(index, made)
    return made
  }

  return {
    night,
    nightAt(timeMs) {
      const today = solarDayOf(position, timeMs)
      const index = timeMs < night(today - 1).offMs ? today - 1 : today
      return { night: night(index), index }
    },
    hoursBefore(index) {
      for (let known = sums.length; known <= index - firstIndex; known++) {
        const { onMs, dimFromMs, dimToMs, offMs } = night(firstIndex + known - 1)
        const last = sums[known - 1] ?? { nights: 0, full: 0, dimmed: 0 }
        const dimmedMs = dimToMs - dimFromMs
        sums.push({
          nights: last.nights + 1,
          full: last.full + (offMs - onMs - dimmedMs) / HOUR_MS,
          dimmed: last.dimmed + dimmedMs / HOUR_MS,
        })
      }
      return sums[Math.max(0, index - firstIndex)] ?? { nights: 0, full: 0, dimmed: 0 }
    },
  }
}
