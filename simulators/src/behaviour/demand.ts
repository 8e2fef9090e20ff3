import type { LocalMoment } from '../local-time.ts'
import type { Profile } from '../districts.ts'

/**
 * How many of a district's spaces are wanted, and how long people stay. The curves are ours, drawn after what on-street
 * counts commonly show: shops and offices fill by eleven, homes at night, beaches on weekend afternoons.
 */

/** Share of the spaces that are taken, at each full hour from 0 to 23. */
type Day = readonly number[]

interface Rhythm {
  weekday: Day
  saturday: Day
  sunday: Day
  /** Mean stay by day (8 to 20 h) and by night. */
  stayMinutes: { day: number; night: number }
}

const CENTRE_WEEKDAY = [
  0.48, 0.45, 0.42, 0.4, 0.39, 0.4, 0.45, 0.56, 0.72, 0.84, 0.9, 0.92, 0.92, 0.9, 0.82, 0.76, 0.8, 0.88, 0.92,
  0.91, 0.84, 0.72, 0.6, 0.53,
]
const HOME_WEEKDAY = [
  0.93, 0.94, 0.94, 0.94, 0.94, 0.93, 0.9, 0.82, 0.71, 0.63, 0.6, 0.59, 0.6, 0.63, 0.68, 0.68, 0.66, 0.68,
  0.72, 0.78, 0.84, 0.88, 0.91, 0.92,
]
const WORK_WEEKDAY = [
  0.16, 0.15, 0.15, 0.15, 0.16, 0.2, 0.34, 0.6, 0.83, 0.91, 0.93, 0.93, 0.92, 0.88, 0.8, 0.82, 0.84, 0.74,
  0.54, 0.38, 0.28, 0.22, 0.19, 0.17,
]
const WORK_WEEKEND = [
  0.15, 0.14, 0.14, 0.14, 0.14, 0.14, 0.15, 0.17, 0.2, 0.23, 0.25, 0.27, 0.27, 0.26, 0.24, 0.23, 0.23, 0.24,
  0.24, 0.22, 0.2, 0.18, 0.17, 0.16,
]

const RHYTHMS: Readonly<Record<Profile, Rhythm>> = {
  centre: {
    weekday: CENTRE_WEEKDAY,
    saturday: [
      0.58, 0.55, 0.5, 0.46, 0.43, 0.41, 0.42, 0.47, 0.56, 0.69, 0.82, 0.9, 0.93, 0.92, 0.84, 0.76, 0.77,
      0.84, 0.91, 0.94, 0.92, 0.88, 0.8, 0.7,
    ],
    sunday: [
      0.62, 0.58, 0.53, 0.48, 0.44, 0.42, 0.41, 0.42, 0.45, 0.5, 0.57, 0.64, 0.72, 0.75, 0.7, 0.62, 0.58, 0.6,
      0.64, 0.66, 0.63, 0.58, 0.53, 0.5,
    ],
    stayMinutes: { day: 55, night: 240 },
  },
  office: {
    weekday: WORK_WEEKDAY,
    saturday: WORK_WEEKEND,
    sunday: WORK_WEEKEND,
    stayMinutes: { day: 190, night: 300 },
  },
  industrial: {
    weekday: WORK_WEEKDAY.map((share) => share * 0.85),
    saturday: WORK_WEEKEND,
    sunday: WORK_WEEKEND.map((share) => share * 0.7),
    stayMinutes: { day: 260, night: 360 },
  },
  residential: {
    weekday: HOME_WEEKDAY,
    saturday: HOME_WEEKDAY.map((share) => Math.min(0.95, share * 0.6 + 0.35)),
    sunday: HOME_WEEKDAY.map((share) => Math.min(0.95, share * 0.5 + 0.45)),
    stayMinutes: { day: 120, night: 420 },
  },
  leisure: {
    weekday: [
      0.42, 0.4, 0.39, 0.38, 0.38, 0.38, 0.39, 0.4, 0.42, 0.46, 0.52, 0.58, 0.63, 0.66, 0.68, 0.7, 0.72, 0.72,
      0.7, 0.66, 0.6, 0.54, 0.49, 0.45,
    ],
    saturday: [
      0.48, 0.45, 0.42, 0.4, 0.39, 0.39, 0.4, 0.42, 0.47, 0.55, 0.66, 0.78, 0.86, 0.9, 0.9, 0.9, 0.91, 0.92,
      0.9, 0.86, 0.8, 0.72, 0.63, 0.55,
    ],
    sunday: [
      0.5, 0.46, 0.43, 0.41, 0.4, 0.39, 0.4, 0.43, 0.49, 0.59, 0.72, 0.84, 0.91, 0.93, 0.92, 0.92, 0.93, 0.93,
      0.9, 0.82, 0.72, 0.62, 0.54, 0.48,
    ],
    stayMinutes: { day: 130, night: 300 },
  },
}

/** How much of its demand a beach keeps in each month of a northern year, January first. */
const BEACH_SEASON = [0.7, 0.72, 0.76, 0.82, 0.88, 0.98, 1.06, 1.06, 0.96, 0.84, 0.75, 0.7]

/** Share of a district's spaces that are taken, 0.02 to 0.97. */
export function occupancyAt(profile: Profile, local: LocalMoment, isSouthern: boolean): number {
  const whole = Math.floor(local.hour)
  const from = dayOf(profile, local.weekday)[whole] ?? 0.5
  // At 23 h the next hour is the next day's first: Friday night leads into Saturday.
  const to =
    whole === 23 ? dayOf(profile, (local.weekday + 1) % 7)[0] : dayOf(profile, local.weekday)[whole + 1]
  const share = from + ((to ?? from) - from) * (local.hour - whole)
  const season = profile === 'leisure' ? (BEACH_SEASON[(local.month + (isSouthern ? 6 : 0)) % 12] ?? 1) : 1
  return Math.min(0.97, Math.max(0.02, share * season))
}

/** How long a car that comes now stays on average. */
export function meanStayMinutes(profile: Profile, { hour }: LocalMoment): number {
  const { day, night } = RHYTHMS[profile].stayMinutes
  // Eased over an hour at both ends, so that no rate jumps.
  const daylight = Math.min(1, Math.max(0, hour - 7)) * Math.min(1, Math.max(0, 21 - hour))
  return night + (day - night) * daylight
}

/** A rush: how much, at which hour of its day, how wide. */
type Peak = readonly [share: number, hour: number, widthHours: number]

const NIGHT_TRAFFIC = 0.06
const WORKDAY_PEAKS: readonly Peak[] = [
  [0.86, 8.4, 1.1],
  [0.5, 13.6, 2.1],
  [0.2, 16, 2.5],
  [0.8, 19, 1.9],
]
const WEEKEND_PEAKS: readonly Peak[] = [
  [0.12, 0.5, 1.6],
  [0.5, 13, 3.2],
  [0.42, 20, 2.4],
]

/** How much traffic there is, 0 to 1: two peaks on working days, one broad hump at weekends. */
export function trafficAt({ weekday, hour }: LocalMoment): number {
  // The days before and after reach over midnight with their own peaks, so that nothing jumps there.
  const shares = [-1, 0, 1].flatMap((day) => {
    const peaks = [0, 6].includes((weekday + day + 7) % 7) ? WEEKEND_PEAKS : WORKDAY_PEAKS
    return peaks.map(
      ([share, at, widthHours]) => share * Math.exp(-(((hour - at - 24 * day) / widthHours) ** 2)),
    )
  })
  return shares.reduce((sum, share) => sum + share, NIGHT_TRAFFIC)
}

function dayOf(profile: Profile, weekday: number): Day {
  const { weekday: working, saturday, sunday } = RHYTHMS[profile]
  if (weekday === 6) return saturday
  return weekday === 0 ? sunday : working
}
