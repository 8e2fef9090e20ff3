import { toIsoTime, type Sensor } from '@pulso/model'
import type { Credential, IngestState, Registry, StoredQuarantineEntry } from '@pulso/stores'
import type { DeviceDetail, DeviceRow } from './device.ts'

/** All that is known by this id, so that a developer sees whether a device is heard and why its message was refused. */
export async function describeDevice(
  registry: Registry,
  id: string,
  nowMs: number,
): Promise<DeviceDetail | undefined> {
  const [sensor, credential, state, [newest], counts] = await Promise.all([
    registry.getSensor(id),
    registry.findCredential(id),
    registry.getState(id),
    registry.listQuarantine({ sensorId: id, limit: 1 }),
    registry.countQuarantine(),
  ])
  const count = counts.bySensor[id] ?? 0
  if (!sensor && !credential && count === 0) return undefined
  return {
    device: id,
    sensor: sensor
      ? {
          kind: sensor.kind,
          name: sensor.name,
          position: sensor.position,
          attributes: sensor.attributes,
          lorawan: sensor.lorawan ?? null,
          createdAt: toIsoTime(sensor.createdAtMs),
        }
      : null,
    credential: credential
      ? {
          access: credential.access,
          scope: credential.scope,
          createdAt: toIsoTime(credential.createdAtMs),
          previousUntil: toPreviousUntil(credential, nowMs),
        }
      : null,
    presence: state?.presence ?? null,
    lastReading: toLastReading(state),
    quarantine: { count, newest: newest ? toNewest(newest) : null },
  }
}

/** Devices with a credential, then LoRaWAN devices without one. */
export function toDeviceRows(
  credentials: readonly Credential[],
  sensors: readonly Sensor[],
  nowMs: number,
): DeviceRow[] {
  const byId = new Map(sensors.map((sensor) => [sensor.id, sensor]))
  const withCredential = new Set(credentials.map(({ username }) => username))
  const rows = credentials.map((credential): DeviceRow => {
    const { username, access, scope, createdAtMs } = credential
    const sensor = byId.get(username)
    return {
      device: username,
      access,
      scope,
      kind: sensor?.kind ?? null,
      position: sensor?.position ?? null,
      lorawan: sensor?.lorawan ?? null,
      createdAt: toIsoTime(createdAtMs),
      previousUntil: toPreviousUntil(credential, nowMs),
    }
  })
  for (const { id, kind, position, lorawan, createdAtMs } of sensors) {
    if (!lorawan || withCredential.has(id)) continue
    const scope = { type: 'sensor' as const, sensorId: id }
    const createdAt = toIsoTime(createdAtMs)
    rows.push({ device: id, access: 'none', scope, kind, position, lorawan, createdAt, previousUntil: null })
  }
  return rows
}

/** Until when the secret before the last rotation is good; `null` when it is not any more. */
function toPreviousUntil({ previous }: Credential, nowMs: number): string | null {
  return previous && previous.untilMs > nowMs ? toIsoTime(previous.untilMs) : null
}

/** A state without values comes from presence alone. */
function toLastReading(state: IngestState | undefined): DeviceDetail['lastReading'] {
  const values = Object.entries(state?.values ?? {}).map(([metric, { value }]) => [metric, value])
  if (!state || values.length === 0) return null
  return {
    time: toIsoTime(state.timeMs),
    receivedAt: toIsoTime(state.receivedAtMs),
    values: Object.fromEntries(values) as NonNullable<DeviceDetail['lastReading']>['values'],
  }
}

function toNewest(entry: StoredQuarantineEntry): DeviceDetail['quarantine']['newest'] {
  const { receivedAtMs, reason, detail, topic, metric } = entry
  return { receivedAt: toIsoTime(receivedAtMs), reason, detail, topic, metric }
}
