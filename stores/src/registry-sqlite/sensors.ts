import { AppError, type Attributes, type Sensor } from '@pulso/model'
import type { SensorsRegistry } from '../registry.ts'
import type { RegistryDatabase } from './database.ts'

interface SensorRow {
  id: string
  kind: string
  name: string | null
  lat: number | null
  lon: number | null
  attributes: string
  created_at_ms: number
  revision: number
  dev_eui: string | null
  codec: string | null
}

export interface SqliteSensors extends SensorsRegistry {
  /** `putSensors` within a running transaction. */
  putWithin: (sensors: readonly Sensor[]) => void
  /** Within a running transaction: adds those that are not there, and leaves the others as they are. */
  addMissing: (sensors: readonly Sensor[]) => void
}

export function createSqliteSensors(database: RegistryDatabase): SqliteSensors {
  const { connection, run, transact } = database
  const select = connection.prepare('SELECT * FROM sensors WHERE id = ?')
  const selectSince = connection.prepare('SELECT * FROM sensors WHERE revision > ? ORDER BY revision')
  const insert = 'INSERT INTO sensors VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id)'
  const add = connection.prepare(`${insert} DO NOTHING`)
  // What did not change keeps its revision, so that nobody loads it again.
  const put = connection.prepare(`${insert} DO UPDATE SET
      name = excluded.name, lat = excluded.lat, lon = excluded.lon,
      attributes = excluded.attributes, dev_eui = excluded.dev_eui, codec = excluded.codec,
      revision = excluded.revision
    WHERE name IS NOT excluded.name OR lat IS NOT excluded.lat OR lon IS NOT excluded.lon
      OR attributes IS NOT excluded.attributes OR dev_eui IS NOT excluded.dev_eui OR codec IS NOT excluded.codec`)
  const selectByDevEui = connection.prepare('SELECT * FROM sensors WHERE dev_eui = ?')

  /** All sensors of a transaction share one revision. */
  const write = (statement: typeof put, sensors: readonly Sensor[]): void => {
    const revision = database.counter('sensor_revision') + 1
    let changes = 0
    for (const sensor of sensors) {
      if (statement === put) {
        refuseOtherKind(sensor, select.get(sensor.id) as SensorRow | undefined)
        if (sensor.lorawan) {
          const owner = selectByDevEui.get(sensor.lorawan.devEui) as SensorRow | undefined
          refuseTakenDevEui(sensor, owner)
        }
      }
      changes += Number(statement.run(...toRow(sensor, revision)).changes)
    }
    if (changes > 0) database.setCounter('sensor_revision', revision)
  }

  const find = (statement: typeof select, key: string): Promise<Sensor | undefined> =>
    run(() => {
      const row = statement.get(key) as SensorRow | undefined
      return row && toSensor(row)
    })
  const putWithin: SqliteSensors['putWithin'] = (sensors) => write(put, sensors)

  return {
    getSensor: (id) => find(select, id),
    findSensorByDevEui: (devEui) => find(selectByDevEui, devEui),
    putSensors: (sensors) => transact(() => putWithin(sensors)),
    putWithin,
    sensorsSince: (revision) =>
      run(() => {
        const rows = selectSince.all(revision) as unknown as SensorRow[]
        return { revision: rows.at(-1)?.revision ?? revision, sensors: rows.map(toSensor) }
      }),
    addMissing: (sensors) => {
      if (sensors.length > 0) write(add, sensors)
    },
  }
}

function refuseOtherKind({ id, kind }: Sensor, known: SensorRow | undefined): void {
  if (!known || known.kind === kind) return
  throw new AppError(
    'sensor-kind-differs',
    `The sensor '${id}' is of the kind '${known.kind}' and cannot become '${kind}': choose another id`,
    { status: 409 },
  )
}

function refuseTakenDevEui({ id, lorawan }: Sensor, owner: SensorRow | undefined): void {
  if (!owner || owner.id === id) return
  throw new AppError(
    'dev-eui-taken',
    `The LoRaWAN device ${lorawan?.devEui ?? ''} is the sensor '${owner.id}' already`,
    { status: 409 },
  )
}

function toRow(sensor: Sensor, revision: number): (string | number | null)[] {
  const { id, kind, name, position, attributes, createdAtMs, lorawan } = sensor
  return [
    id,
    kind,
    name,
    position?.lat ?? null,
    position?.lon ?? null,
    JSON.stringify(attributes, Object.keys(attributes).sort()),
    createdAtMs,
    revision,
    lorawan?.devEui ?? null,
    lorawan?.codec ?? null,
  ]
}

const NO_ATTRIBUTES: Attributes = {}

function toSensor(row: SensorRow): Sensor {
  const { id, kind, name, lat, lon, attributes, created_at_ms, dev_eui: devEui, codec } = row
  return {
    id,
    kind,
    name,
    position: lat === null || lon === null ? null : { lat, lon },
    attributes: attributes === '{}' ? NO_ATTRIBUTES : (JSON.parse(attributes) as Attributes),
    createdAtMs: created_at_ms,
    ...(devEui !== null && { lorawan: { devEui, codec } }),
  }
}
