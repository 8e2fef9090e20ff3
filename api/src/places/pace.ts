import { MINUTE_MS, SECOND_MS } from '@pulso/model'

/**
 * Learning may wait, answers may not: how long after the start it begins, and the pauses between two questions to the
 * readings, two places, and two rounds.
 */
export const FORECAST_PACE = {
  startMs: 20 * SECOND_MS,
  pieceMs: 50,
  placeMs: 2 * SECOND_MS,
  roundMs: MINUTE_MS,
}
export type ForecastPace = typeof FORECAST_PACE
