import { toIsoTime, type Clock, type Kinds, type Sensor } from '@pulso/model'
import { hashSecret, type Registry } from '@pulso/stores'
import type { AddedDevice, DeviceDetail, DeviceRow, DeviceToAdd, RotatedDevice, Secret } from './device.ts'
import { describeDevice, toDeviceRows } from './describe-device.ts'
import { createCredential, planDevice, showSecret, type PlanOptions } from './plan-device.ts'
import {
  checkOverlap,
  gatewayNameTaken,
  invalidDevice,
  invalidImport,
  noSecret,
  unknownDevice,
} from './refusals.ts'
import { newSecret } from './secrets.ts'

export interface GatewayToProvide {
  username: string
  prefix: string
  sensors: readonly Omit<Sensor, 'createdAtMs'>[]
}

/** Where a device of an import comes from, for messages: `line 12`. */
export interface ImportRow {
  place: string
  device: DeviceToAdd
}

export interface ImportCheck {
  /** Each with its place. Empty when all of it can be imported. */
  mistakes: string[]
  /** How many secrets would be made and have to be shown. */
  newSecrets: number
}

export interface ImportResult {
  added: number
  updated: number
  unchanged: number
  /** Known devices for which another secret was given than the one in use, which stays. */
  otherSecretsKept: string[]
  /** Those whose secret was made here: shown this once. */
  secrets: AddedDevice[]
}

export interface DevicesAdministration {
  /** @throws AppError `invalid-device` with all mistakes */
  addDevice(device: DeviceToAdd): Promise<AddedDevice>
  /** Devices with a credential and LoRaWAN devices; not the sensors that speak through a gateway. */
  listDevices(): Promise<DeviceRow[]>
  /** `undefined` when nothing is known by that id. */
  findDevice(id: string): Promise<DeviceDetail | undefined>
  /** Says what is wrong with the rows and changes nothing. That no id comes twice in a file is the caller's to check. */
  checkImport(rows: readonly ImportRow[]): Promise<ImportCheck>
  /**
   * Adds or brings up to date all of the rows, or none. Known devices keep their secrets.
   * @throws AppError `invalid-import`
   */
  importDevices(rows: readonly ImportRow[]): Promise<ImportResult>
  /**
   * A new secret for a known device. With `overlapMs` the old one is good for that long and open connections stay;
   * without, both end at once.
   * @throws AppError `unknown-credential`, `no-secret`, `invalid-overlap`
   */
  rotateDevice(username: string, overlapMs?: number): Promise<RotatedDevice>
  /**
   * Takes the credential and the LoRaWAN device away and ends open connections; what was measured stays.
   * @throws AppError `unknown-credential`
   */
  revokeDevice(username: string): Promise<{ username: string }>
  /**
   * Places the sensors and gives a gateway credential with a new secret: for the virtual city and for replay.
   * @throws AppError `credential-exists` when something else has that name
   */
  provideGateway(gateway: GatewayToProvide): Promise<Secret>
}

export interface DevicesAdministrationOptions {
  registry: Registry
  kinds: Kinds
  /** Names of the LoRaWAN codecs that there are; asked for only where a device names one. */
  loadCodecNames(): Promise<ReadonlySet<string>>
  clock: Clock
  /** Ends the connections that a credential has open, where a broker runs. */
  disconnect?: (username: string) => Promise<unknown>
}

export function createDevicesAdministration(options: DevicesAdministrationOptions): DevicesAdministration {
  const { registry, clock, disconnect } = options
  const toPlanOptions = async (devices: readonly DeviceToAdd[], isImport: boolean): Promise<PlanOptions> => ({
    ...options,
    codecs: devices.some(({ codec }) => codec !== undefined) ? await options.loadCodecNames() : new Set(),
    nowMs: clock.now(),
    isImport,
  })
  const planImport = async (rows: readonly ImportRow[]) => {
    const planOptions = await toPlanOptions(
      rows.map(({ device }) => device),
      true,
    )
    return planRows(rows, planOptions)
  }

  const setNewSecret = async (username: string, untilMs?: number): Promise<string> => {
    const secret = newSecret()
    await registry.setSecret(username, hashSecret(secret), untilMs)
    if (untilMs === undefined) await disconnect?.(username)
    return secret
  }

  return {
    async addDevice(device) {
      const plan = await planDevice(device, await toPlanOptions([device], false))
      if (plan.mistakes.length > 0 || !('effect' in plan)) throw invalidDevice(plan.mistakes)
      const { sensor, credential } = plan
      await registry.addDevices({
        sensors: sensor ? [sensor] : [],
        credentials: credential ? [credential] : [],
      })
      return plan.added
    },
    async listDevices() {
      const [credentials, { sensors }] = await Promise.all([
        registry.listCredentials(),
        registry.sensorsSince(0),
      ])
      return toDeviceRows(credentials, sensors, clock.now())
    },
    findDevice: (id) => describeDevice(registry, id, clock.now()),
    async checkImport(rows) {
      const { mistakes, plans } = await planImport(rows)
      return { mistakes, newSecrets: plans.filter(({ hasNewSecret }) => hasNewSecret).length }
    },
    async importDevices(rows) {
      const { mistakes, plans } = await planImport(rows)
      if (mistakes.length > 0) throw invalidImport(mistakes)
      await registry.addDevices({
        sensors: plans.flatMap(({ sensor }) => sensor ?? []),
        credentials: plans.flatMap(({ credential }) => credential ?? []),
      })
      const count = (wanted: string): number => plans.filter(({ effect }) => effect === wanted).length
      return {
        added: count('added'),
        updated: count('updated'),
        unchanged: count('unchanged'),
        otherSecretsKept: plans.flatMap(({ keepsOtherSecret, added }) =>
          keepsOtherSecret ? added.device : [],
        ),
        secrets: plans.flatMap(({ hasNewSecret, added }) => (hasNewSecret ? added : [])),
      }
    },
    async rotateDevice(username, overlapMs) {
      if (overlapMs !== undefined) checkOverlap(overlapMs)
      const access = (await registry.findCredential(username))?.access
      if (access === undefined) throw unknownDevice(username)
      if (access === 'certificate') throw noSecret(username)
      const untilMs = overlapMs === undefined ? undefined : clock.now() + overlapMs
      const secret = await setNewSecret(username, untilMs)
      return {
        device: username,
        ...showSecret({ username, access, secret }),
        previousUntil: untilMs === undefined ? null : toIsoTime(untilMs),
      }
    },
    async revokeDevice(username) {
      const hadCredential = await registry.removeCredential(username)
      await disconnect?.(username)
      const known = await registry.getSensor(username)
      if (!hadCredential && !known?.lorawan) throw unknownDevice(username)
      if (known?.lorawan) {
        const sensor = { ...known }
        delete sensor.lorawan
        await registry.putSensors([sensor])
      }
      return { username }
    },
    async provideGateway({ username, prefix, sensors }) {
      const createdAtMs = clock.now()
      const known = await registry.findCredential(username)
      const isOurs = known?.scope.type === 'gateway' && known.scope.prefix === prefix
      if (known && !(isOurs && known.access === 'password')) {
        throw gatewayNameTaken(username)
      }
      await registry.putSensors(sensors.map((sensor) => ({ ...sensor, createdAtMs })))
      if (known) return { username, password: await setNewSecret(username) }
      const gateway = {
        id: username,
        gatewayPrefix: prefix,
        access: 'password' as const,
        secret: newSecret(),
      }
      await registry.addCredential(createCredential(gateway, createdAtMs).credential)
      return { username, password: gateway.secret }
    },
  }
}

async function planRows(rows: readonly ImportRow[], options: PlanOptions) {
  const planned = await Promise.all(
    rows.map(async ({ place, device }) => ({ place, plan: await planDevice(device, options) })),
  )
  return {
    mistakes: planned.flatMap(({ place, plan }) => plan.mistakes.map((mistake) => `${place}: ${mistake}`)),
    plans: planned.flatMap(({ plan }) => ('effect' in plan ? plan : [])),
  }
}
