import { createZoneIndex, toIsoTime, type City, type Sensor } from '@pulso/model'
import type { Registry, StoredQuarantineEntry } from '@pulso/stores'
import { writePieces, type Piece } from './file-writer.ts'
import type { ExportedFile } from './manifest.ts'

const QUARANTINE_PAGE = 500

/** What the registry knows, but no secret, no hash of one, and nobody who works for the city. */
export async function writeRegistry(
  folder: string,
  { registry, city }: { registry: Registry; city: City },
): Promise<ExportedFile[]> {
  const { sensors } = await registry.sensorsSince(0)
  const credentials = await registry.listCredentials()
  const zones = createZoneIndex(city.zones)
  const byId = sensors.toSorted((a, b) => (a.id < b.id ? -1 : 1))
  return [
    await writePieces(
      folder,
      { name: 'sensors.jsonl', description: 'Every sensor with its kind, place and attributes' },
      byId.map((sensor) => toLine(toSensorRow(sensor, zones.find(sensor.position)))),
    ),
    await writePieces(
      folder,
      {
        name: 'devices.jsonl',
        description: 'Who may publish for which sensor; passwords and tokens are not in it',
      },
      credentials.map(({ username, access, scope, createdAtMs }) =>
        toLine({ username, access, scope, created_at: toIsoTime(createdAtMs) }),
      ),
    ),
    await writePieces(folder, { name: 'zones.geojson', description: 'The zones of the city' }, [
      { text: `${JSON.stringify(toCollection(city))}\n`, rows: city.zones.length },
    ]),
    await writePieces(folder, { name: 'city.json', description: 'The city file: set PULSO_CITY to it' }, [
      { text: `${JSON.stringify(city)}\n`, rows: 1 },
    ]),
    await writePieces(
      folder,
      {
        name: 'quarantine.jsonl',
        description: 'Messages that were kept aside instead of stored, with the reason',
      },
      readQuarantine(registry),
    ),
  ]
}

function toLine(row: object): Piece {
  return { text: `${JSON.stringify(row)}\n`, rows: 1 }
}

function toSensorRow(
  { id, kind, name, position, attributes, createdAtMs, lorawan }: Sensor,
  zone: string | null,
): object {
  return {
    id,
    kind,
    name,
    lat: position?.lat ?? null,
    lon: position?.lon ?? null,
    zone,
    attributes,
    created_at: toIsoTime(createdAtMs),
    ...(lorawan && { lorawan }),
  }
}

function toCollection({ zones }: City): object {
  const features = zones.map(({ id, name, geometry }) => ({
    type: 'Feature',
    id,
    geometry,
    properties: { id, name },
  }))
  return { type: 'FeatureCollection', features }
}

async function* readQuarantine(registry: Registry): AsyncGenerator<Piece> {
  for (let afterId = 0; ;) {
    const entries = await registry.listQuarantine({ afterId, limit: QUARANTINE_PAGE })
    for (const entry of entries) yield toLine(toQuarantineRow(entry))
    const last = entries.at(-1)
    if (!last) return
    afterId = last.id
  }
}

function toQuarantineRow(entry: StoredQuarantineEntry): object {
  const { receivedAtMs, reason, detail, topic, sensorId, metric, payload } = entry
  const rest = { reason, detail, topic, sensor_id: sensorId, metric }
  return { received_at: toIsoTime(receivedAtMs), ...rest, ...toPayload(payload) }
}

/** What is no text is written as Base64, so that nothing is lost. */
function toPayload(payload: Uint8Array): object {
  try {
    return { payload: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(payload) }
  } catch {
    return { payload_base64: Buffer.from(payload).toString('base64') }
  }
}
