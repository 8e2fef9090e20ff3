import type { StatementSync } from 'node:sqlite'
import { AppError, type Attributes, type Sensor } from '@pulso/model'
import type { SensorsRegistry } from '../registry.ts'
import type { RegistryDatabase } from './database.ts'

/** In the order of COLUMNS. A start reads every sensor, and rows as lists take half the time of rows as objects. */
type SensorRow = [
  id: string,
  kind: string,
  name: string | null,
  lat: number | null,
  lon: number | null,
  attributes: string,
  createdAtMs: number,
  revision: number,
  devEui: string | null,
  codec: string | null,
]

const COLUMNS = 'id, kind, name, lat, lon, attributes, created_at_ms, revision, dev_eui, codec'
const REVISION = 7

export interface SqliteSensors extends SensorsRegistry {
  /** `putSensors` within a running transaction. */
  putWithin: (sensors: readonly Sensor[]) => void
  /** Within a running transaction: adds those that are not there, and leaves the others as they are. */
  addMissing: (sensors: readonly Sensor[]) => void
}

export function createSqliteSensors(database: RegistryDatabase): SqliteSensors {
  const { connection, run, transact } = database
  const selectWhere = (condition: string): StatementSync => {
    const statement = connection.prepare(`SELECT ${COLUMNS} FROM sensors WHERE ${condition}`)
    statement.setReturnArrays(true)
    return statement
  }
  const select = selectWhere('id = ?')
  const selectSince = selectWhere('revision > ?')
  const insert = `INSERT INTO sensors (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id)`
  const add = connection.prepare(`${insert} DO NOTHING`)
  // What did not change keeps its revision, so that nobody loads it again.
  const put = connection.prepare(`${insert} DO UPDATE SET
      name = excluded.name, lat = excluded.lat, lon = excluded.lon,
      attributes = excluded.attributes, dev_eui = excluded.dev_eui, codec = excluded.codec,
      revision = excluded.revision
    WHERE name IS NOT excluded.name OR lat IS NOT excluded.lat OR lon IS NOT excluded.lon
      OR attributes IS NOT excluded.attributes OR dev_eui IS NOT excluded.dev_eui OR codec IS NOT excluded.codec`)
  const selectByDevEui = selectWhere('dev_eui = ?')

  const find = (statement: StatementSync, key: string): Sensor | undefined => {
    const row = statement.get(key) as unknown as SensorRow | undefined
    return row && toSensor(row)
  }

  /** All sensors of a transaction share one revision. */
  const write = (statement: typeof put, sensors: readonly Sensor[]): void => {
    const revision = database.counter('sensor_revision') + 1
    let changes = 0
    for (const sensor of sensors) {
      if (statement === put) {
        refuseOtherKind(sensor, find(select, sensor.id))
        if (sensor.lorawan) refuseTakenDevEui(sensor, find(selectByDevEui, sensor.lorawan.devEui))
      }
      changes += Number(statement.run(...toRow(sensor, revision)).changes)
    }
    if (changes > 0) database.setCounter('sensor_revision', revision)
  }

  const putWithin: SqliteSensors['putWithin'] = (sensors) => write(put, sensors)

  return {
    getSensor: (id) => run(() => find(select, id)),
    findSensorByDevEui: (devEui) => run(() => find(selectByDevEui, devEui)),
    putSensors: (sensors) => transact(() => putWithin(sensors)),
    putWithin,
    sensorsSince: (revision) =>
      run(() => {
        const rows = selectSince.all(revision) as unknown as SensorRow[]
        const newest = rows.reduce((highest, row) => Math.max(highest, row[REVISION]), revision)
        return { revision: newest, sensors: rows.map(toSensor) }
      }),
    addMissing: (sensors) => {
      if (sensors.length > 0) write(add, sensors)
    },
  }
}

function refuseOtherKind({ id, kind }: Sensor, known: Sensor | undefined): void {
  if (!known || known.kind === kind) return
  throw new AppError(
    'sensor-kind-differs',
    `The sensor '${id}' is of the kind '${known.kind}' and cannot become '${kind}': choose another id`,
    { status: 409 },
  )
}

function refuseTakenDevEui({ id, lorawan }: Sensor, owner: Sensor | undefined): void {
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

function toSensor([id, kind, name, lat, lon, attributes, createdAtMs, , devEui, codec]: SensorRow): Sensor {
  return {
    id,
    kind,
    name,
    position: lat === null || lon === null ? null : { lat, lon },
    attributes: attributes === '{}' ? NO_ATTRIBUTES : (JSON.parse(attributes) as Attributes),
    createdAtMs,
    ...(devEui !== null && { lorawan: { devEui, codec } }),
  }
}
