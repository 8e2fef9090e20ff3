import type { HourlyMean } from './kind.ts'

/**
 * European Air Quality Index, bands of 2025, hourly means in µg/m³: the upper bound of each level but the last, which
 * has none. Equality stays in the lower level. Source: ETC HE Report 2024/17. (The bands before 2025, PM2.5
 * 10/20/25/50…, are still widely copied and are wrong now.)
 */
export const AIR_QUALITY_BANDS = {
  pm25: [5, 15, 50, 90, 140],
  pm10: [15, 45, 120, 195, 270],
  no2: [10, 25, 60, 100, 150],
  o3: [60, 100, 120, 160, 180],
  so2: [20, 40, 125, 190, 275],
} as const

export type Pollutant = keyof typeof AIR_QUALITY_BANDS

export const AIR_QUALITY_LEVELS = ['good', 'fair', 'moderate', 'poor', 'veryPoor', 'extremelyPoor'] as const
export type AirQualityLevel = (typeof AIR_QUALITY_LEVELS)[number]

/** Readings that an hour needs, as a share of those expected, before its mean counts. Ours, not the EEA's. */
export const MIN_HOURLY_COVERAGE = 0.75

export const POLLUTANTS = Object.keys(AIR_QUALITY_BANDS) as Pollutant[]

export interface AirQuality {
  level: AirQualityLevel
  /** The pollutant that decided: the worst, the first of `POLLUTANTS` among equals. */
  pollutant: Pollutant
}

/** The level of one pollutant's hourly mean in µg/m³. */
export function airQualityLevel(pollutant: Pollutant, meanUgM3: number): AirQualityLevel {
  const band = AIR_QUALITY_BANDS[pollutant].findIndex((upper) => meanUgM3 <= upper)
  return AIR_QUALITY_LEVELS[band === -1 ? AIR_QUALITY_LEVELS.length - 1 : band] ?? 'extremelyPoor'
}

/**
 * The station's index from hourly means: the worst pollutant decides. A traffic station needs NO2 and a particulate;
 * any other NO2, O3 and a particulate (the EEA's rule in an earlier wording).
 * @returns `undefined` when too little was measured: "index not available"
 */
export function airQualityIndex(
  hourly: Readonly<Record<string, HourlyMean>>,
  { isTraffic }: { isTraffic: boolean },
): AirQuality | undefined {
  const counted = POLLUTANTS.filter((pollutant) => (hourly[pollutant]?.coverage ?? 0) >= MIN_HOURLY_COVERAGE)
  const has = (pollutant: Pollutant): boolean => counted.includes(pollutant)
  if (!has('no2') || !(has('pm25') || has('pm10')) || !(isTraffic || has('o3'))) return undefined

  let worst: AirQuality | undefined
  for (const pollutant of counted) {
    const level = airQualityLevel(pollutant, hourly[pollutant]?.mean ?? 0)
    if (!worst || AIR_QUALITY_LEVELS.indexOf(level) > AIR_QUALITY_LEVELS.indexOf(worst.level))
      worst = { level, pollutant }
  }
  return worst
}
