/** The places that exist today. The console's later ones join this list. */
export const PLACES = ['sensors', 'quarantine'] as const
export type Place = (typeof PLACES)[number]

export interface Route {
  place: Place
  /** The sensor whose pane is open, or whose quarantine is listed. */
  sensor: string | null
}

/** `#/sensors`, `#/sensors/{id}`, `#/quarantine`, `#/quarantine/{sensor id}`; anything else is the first place. */
export function parseRoute(hash: string): Route {
  const [, place, sensor = ''] = /^#\/([a-z]+)(?:\/(.+))?$/.exec(hash) ?? []
  const known = PLACES.find((candidate) => candidate === place)
  if (!known) return { place: 'sensors', sensor: null }
  return { place: known, sensor: decode(sensor) }
}

export function toHash({ place, sensor }: Route): string {
  return sensor === null ? `#/${place}` : `#/${place}/${encodeURIComponent(sensor)}`
}

function decode(text: string): string | null {
  try {
    return text === '' ? null : decodeURIComponent(text)
  } catch {
    // A broken address (a lone %) opens the place without a sensor.
    return null
  }
}
