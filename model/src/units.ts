/**
 * Units by their UCUM code. `uncefact` is the code the Smart Data Models use (`unitCode`), `symbol` is for people.
 * Source: UCUM 2.1; UN/CEFACT Recommendation 20.
 */
export const UNITS = {
  '1': { symbol: '', uncefact: 'C62' },
  'ug/m3': { symbol: 'µg/m³', uncefact: 'GQ' },
  'mg/m3': { symbol: 'mg/m³', uncefact: 'GP' },
  Cel: { symbol: '°C', uncefact: 'CEL' },
  'dB[SPL]': { symbol: 'dB', uncefact: '2N' },
  'dB[mW]': { symbol: 'dBm', uncefact: 'DBM' },
  W: { symbol: 'W', uncefact: 'WTT' },
  'kW.h': { symbol: 'kWh', uncefact: 'KWH' },
} as const

export type UnitCode = keyof typeof UNITS
