import { DAY_MS, MINUTE_MS, type Position } from '@pulso/model'

/**
 * The sun's place. Source: NOAA Global Monitoring Laboratory, "Solar Calculation Details", after Jean Meeus,
 * Astronomical Algorithms; good to about a minute of time between the polar circles until 2100.
 */

/** Civil twilight: the sun's centre 6° under the horizon, when street lighting is needed. */
const CIVIL_TWILIGHT_DEGREES = -6
const JULIAN_DAY_OF_1970 = 2_440_587.5
const JULIAN_DAY_OF_2000 = 2_451_545
const DAYS_PER_CENTURY = 36_525

const toRadians = (degrees: number): number => (degrees * Math.PI) / 180
const toDegrees = (radians: number): number => (radians * 180) / Math.PI

interface Sun {
  declinationDegrees: number
  /** True solar time ahead of mean solar time. */
  equationOfTimeMinutes: number
}

function sunAt(timeMs: number): Sun {
  const century = (timeMs / DAY_MS + JULIAN_DAY_OF_1970 - JULIAN_DAY_OF_2000) / DAYS_PER_CENTURY
  const meanLongitude = toRadians((280.46646 + century * (36000.76983 + century * 0.0003032)) % 360)
  const meanAnomaly = toRadians(357.52911 + century * (35999.05029 - 0.0001537 * century))
  const eccentricity = 0.016708634 - century * (0.000042037 + 0.0000001267 * century)
  const centreDegrees =
    Math.sin(meanAnomaly) * (1.914602 - century * (0.004817 + 0.000014 * century)) +
    Math.sin(2 * meanAnomaly) * (0.019993 - 0.000101 * century) +
    Math.sin(3 * meanAnomaly) * 0.000289
  const ascendingNode = toRadians(125.04 - 1934.136 * century)
  const apparentLongitude =
    meanLongitude + toRadians(centreDegrees - 0.00569 - 0.00478 * Math.sin(ascendingNode))
  const seconds = 21.448 - century * (46.815 + century * (0.00059 - century * 0.001813))
  const obliquity = toRadians(23 + (26 + seconds / 60) / 60 + 0.00256 * Math.cos(ascendingNode))

  const y = Math.tan(obliquity / 2) ** 2
  const equation =
    y * Math.sin(2 * meanLongitude) -
    2 * eccentricity * Math.sin(meanAnomaly) +
    4 * eccentricity * y * Math.sin(meanAnomaly) * Math.cos(2 * meanLongitude) -
    0.5 * y * y * Math.sin(4 * meanLongitude) -
    1.25 * eccentricity * eccentricity * Math.sin(2 * meanAnomaly)
  return {
    declinationDegrees: toDegrees(Math.asin(Math.sin(obliquity) * Math.sin(apparentLongitude))),
    equationOfTimeMinutes: 4 * toDegrees(equation),
  }
}

/** The sun's height over the horizon in degrees, without refraction. */
export function solarElevationDegrees({ lat, lon }: Position, timeMs: number): number {
  const { declinationDegrees, equationOfTimeMinutes } = sunAt(timeMs)
  const minutes = (timeMs % DAY_MS) / MINUTE_MS + equationOfTimeMinutes + 4 * lon
  const hourAngle = toRadians(minutes / 4 - 180)
  const [latitude, declination] = [toRadians(lat), toRadians(declinationDegrees)]
  const sine =
    Math.sin(latitude) * Math.sin(declination) +
    Math.cos(latitude) * Math.cos(declination) * Math.cos(hourAngle)
  return toDegrees(Math.asin(Math.min(1, Math.max(-1, sine))))
}

/** The number of the solar day, from solar midnight to solar midnight, that a time lies in. */
export function solarDayOf({ lon }: Position, timeMs: number): number {
  return Math.floor((timeMs + (lon / 360) * DAY_MS) / DAY_MS)
}

export interface Twilight {
  /** The morning's beginning of civil twilight; equal to `duskMs` on a day without light. */
  dawnMs: number
  noonMs: number
  /** The evening's end of civil twilight; on a day without darkness dawn and dusk are the day's ends. */
  duskMs: number
}

/** Dawn and dusk of a solar day. */
export function twilightOf(position: Position, solarDay: number): Twilight {
  const meanNoonMs = solarDay * DAY_MS + DAY_MS / 2 - (position.lon / 360) * DAY_MS
  const noonMs = meanNoonMs - sunAt(meanNoonMs).equationOfTimeMinutes * MINUTE_MS
  // The declination changes over the day: a second round, with the sun as it stands then, is good to seconds.
  const refine = (sign: 1 | -1): number => {
    const firstMs = meanNoonMs + crossingMs(position, noonMs, sign)
    return meanNoonMs + crossingMs(position, firstMs, sign)
  }
  return { dawnMs: refine(-1), noonMs, duskMs: refine(1) }
}

/** How long after mean noon the sun crosses civil twilight, were it to stand all day as it does at `timeMs`. */
function crossingMs({ lat }: Position, timeMs: number, sign: 1 | -1): number {
  const { declinationDegrees, equationOfTimeMinutes } = sunAt(timeMs)
  const [latitude, declination] = [toRadians(lat), toRadians(declinationDegrees)]
  const cosine =
    (Math.sin(toRadians(CIVIL_TWILIGHT_DEGREES)) - Math.sin(latitude) * Math.sin(declination)) /
    (Math.cos(latitude) * Math.cos(declination))
  const hourAngleDegrees = toDegrees(Math.acos(Math.min(1, Math.max(-1, cosine))))
  return (sign * 4 * hourAngleDegrees - equationOfTimeMinutes) * MINUTE_MS
}
