/** What a permalink holds. */
export interface ViewAddress {
  kind: string | null
  zone: string | null
  sensor: string | null
  at: MapPosition | null
}

export interface MapPosition {
  lat: number
  lon: number
  zoom: number
}

/** Reads `?kind=&zone=&sensor=&at=lat,lon,zoom`; what cannot be right is left out. */
export function parseViewAddress(search: string): ViewAddress {
  const query = new URLSearchParams(search)
  return {
    kind: query.get('kind'),
    zone: query.get('zone'),
    sensor: query.get('sensor'),
    at: parsePosition(query.get('at')),
  }
}

/** Five digits are about a metre, two of zoom are finer than a finger. */
export function writePosition({ lat, lon, zoom }: MapPosition): string {
  return `${lat.toFixed(5)},${lon.toFixed(5)},${zoom.toFixed(2)}`
}

function parsePosition(text: string | null): MapPosition | null {
  const parts = text?.split(',').map((part) => (part.trim() === '' ? NaN : Number(part))) ?? []
  const [lat = NaN, lon = NaN, zoom = NaN] = parts
  const isRight = parts.length === 3 && Math.abs(lat) <= 90 && Math.abs(lon) <= 180 && zoom >= 0 && zoom <= 22
  return isRight ? { lat, lon, zoom } : null
}
