import { objectAt, isObject } from './json.ts'
import type { EnvelopeParser } from './envelope.ts'

/** ChirpStack v4, `application/{id}/device/{devEui}/event/up`. */
export const parseChirpstack: EnvelopeParser = (json) => {
  const receptions = Array.isArray(json.rxInfo) ? json.rxInfo : []
  return {
    devEui: objectAt(json, 'deviceInfo').devEui,
    fPort: json.fPort,
    payload: json.data,
    fields: json.object,
    time: json.time ?? undefined,
    rssi: receptions.filter(isObject).map(({ rssi }) => rssi),
  }
}
