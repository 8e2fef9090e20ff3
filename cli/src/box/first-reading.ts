import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { toPolygons, toTopic, type City, type Kinds, type Position } from '@pulso/model'
import type { Administration } from '../administration.ts'

/** A sensor of the demo that nobody simulates, and all that is needed to speak for it. */
export interface FirstReading {
  username: string
  password: string
  topic: string
  payload: string
}

const SENSOR_ID = 'my-first-sensor'
const NAME = 'My first sensor'

/**
 * The newcomer's sensor. Its secret is the one secret that is kept as it is (readable by the owner alone), because the
 * line to copy must still work at the second start; it may speak for this one sensor of the demo only.
 */
export async function provideFirstReading(options: {
  administration: Administration
  city: City
  kinds: Kinds
  dataDir: string
}): Promise<FirstReading | null> {
  const { administration, city, kinds, dataDir } = options
  const [kind] = kinds.values()
  if (!kind) return null
  const file = join(dataDir, 'first-reading.json')
  const known = await readSecret(file)
  const device = await administration.findDevice(SENSOR_ID)
  const access = device?.credential?.access
  // Somebody has given it another way in, and knows it.
  if (access !== undefined && access !== 'password') return null
  const secret =
    access === undefined
      ? await administration.addDevice({ id: SENSOR_ID, kind: kind.id, name: NAME, position: placeOf(city) })
      : known === undefined
        ? await administration.rotateDevice(SENSOR_ID)
        : { access, username: SENSOR_ID, password: known }
  if (secret.access !== 'password') return null
  const { username, password } = secret
  if (password !== known) await writeFile(file, JSON.stringify({ password }), { mode: 0o600 })

  const topic = toTopic({ kind: kind.id, sensorId: SENSOR_ID, channel: 'telemetry' })
  return { username, password, topic, payload: JSON.stringify(kind.example) }
}

async function readSecret(file: string): Promise<string | undefined> {
  try {
    const content = JSON.parse(await readFile(file, 'utf8')) as { password?: unknown }
    return typeof content.password === 'string' ? content.password : undefined
  } catch {
    // Missing or damaged: a new secret is made.
    return undefined
  }
}

/** In the middle of the first zone, or of the city without zones. */
function placeOf({ zones, bounds }: City): Position {
  const ring = zones[0] ? (toPolygons(zones[0].geometry)[0]?.[0] ?? []) : []
  const [west, south, east, north] = bounds
  if (ring.length === 0) return { lat: (south + north) / 2, lon: (west + east) / 2 }
  const mean = (index: 0 | 1): number => ring.reduce((sum, point) => sum + point[index], 0) / ring.length
  return { lat: mean(1), lon: mean(0) }
}
