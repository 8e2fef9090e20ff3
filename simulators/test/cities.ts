import { readFile } from 'node:fs/promises'
import type { City } from '@pulso/model'
import { parseCity } from '@pulso/model/schemas'

export async function readSantander(): Promise<City> {
  const url = new URL(import.meta.resolve('@pulso/model/cities/santander.json'))
  return parseCity(JSON.parse(await readFile(url, 'utf8')), url.pathname)
}

/** A square kilometre near Santander with nothing drawn in it. */
export const PLAIN_CITY: City = {
  name: 'Plain',
  timeZone: 'Europe/Madrid',
  bounds: [-3.81, 43.45, -3.79, 43.47],
  languages: ['en'],
  zones: [
    {
      id: 'square',
      name: 'Square',
      geometry: {
        type: 'Polygon',
        coordinates: [
          [
            [-3.806, 43.455],
            [-3.794, 43.455],
            [-3.794, 43.464],
            [-3.806, 43.464],
            [-3.806, 43.455],
          ],
        ],
      },
    },
  ],
}
