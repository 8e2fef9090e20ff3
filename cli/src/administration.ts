import { randomBytes, randomInt } from 'node:crypto'
import { hashPassword } from '@pulso/api'
import {
  AppError,
  isSensorId,
  type Attributes,
  type Clock,
  type Kinds,
  type Position,
  type Sensor,
} from '@pulso/model'
import { hashSecret, type Credential, type CredentialScope, type Registry } from '@pulso/stores'

/** Shown once, kept only as a hash. */
export interface Secret {
  username: string
  password: string
}

export interface DeviceToAdd {
  id: string
  kind?: string
  name?: string
  position?: Position
  attributes?: Attributes
  /** Makes it a gateway: it may publish for every sensor id that starts with this. */
  gatewayPrefix?: string
}

export interface DeviceRow {
  username: string
  scope: CredentialScope
  kind: string | null
  position: Position | null
  createdAtMs: number
}

export interface GatewayToProvide {
  username: string
  prefix: string
  sensors: readonly Omit<Sensor, 'createdAtMs'>[]
}

/** What the commands change in a running or a stopped box. */
export interface Administration {
  /** @throws AppError `invalid-device`, `credential-exists`, `sensor-kind-differs` */
  addDevice(device: DeviceToAdd): Promise<Secret>
  listDevices(): Promise<DeviceRow[]>
  /** A new secret for a known device; the old one ends at once. @throws AppError `unknown-credential` */
  rotateDevice(username: string): Promise<Secret>
  /** @throws AppError `unknown-credential` */
  revokeDevice(username: string): Promise<{ username: string }>
  /**
   * Places the sensors and gives a gateway credential with a new secret: for the virtual city and for replay.
   * @throws AppError `credential-exists` when something else has that name
   */
  provideGateway(gateway: GatewayToProvide): Promise<Secret>
  /** @throws AppError `invalid-operator`, `operator-exists` */
  addOperator(name: string): Promise<Secret>
  /** A new password for a known operator; open sessions end. @throws AppError `unknown-operator` */
  resetOperator(name: string): Promise<Secret>
  listOperators(): Promise<{ name: string; createdAtMs: number }[]>
  /** @throws AppError `unknown-operator` */
  removeOperator(name: string): Promise<{ name: string }>
}

export interface AdministrationOptions {
  registry: Registry
  kinds: Kinds
  clock: Clock
  /** Ends the connections that a credential has open, where a broker runs. */
  disconnect?: (username: string) => Promise<unknown>
}

export function createAdministration(options: AdministrationOptions): Administration {
  const { registry, kinds, clock, disconnect } = options

  const setNewSecret = async (username: string): Promise<Secret> => {
    const password = newSecret()
    await registry.setSecret(username, hashSecret(password))
    await disconnect?.(username)
    return { username, password }
  }
  const addCredential = async (username: string, scope: CredentialScope): Promise<Secret> => {
    const password = newSecret()
    await registry.addCredential({
      username,
      access: 'password',
      secretHash: hashSecret(password),
      previous: null,
      scope,
      createdAtMs: clock.now(),
    })
    return { username, password }
  }
  const setNewPassword = async (name: string): Promise<Secret> => {
    const password = newPassword()
    const createdAtMs = (await registry.getOperator(name))?.createdAtMs ?? clock.now()
    await registry.putOperator({ name, passwordHash: await hashPassword(password), createdAtMs })
    return { username: name, password }
  }

  return {
    async addDevice(device) {
      checkDevice(device, kinds)
      if (await registry.findCredential(device.id)) {
        throw new AppError(
          'credential-exists',
          `There is a credential '${device.id}' already; 'pulso device rotate ${device.id}' gives it a new secret`,
          { status: 409 },
        )
      }
      if (device.gatewayPrefix !== undefined) {
        return addCredential(device.id, { type: 'gateway', prefix: device.gatewayPrefix })
      }
      const { id, kind = '', name = null, position = null, attributes = {} } = device
      await registry.putSensors([{ id, kind, name, position, attributes, createdAtMs: clock.now() }])
      return addCredential(id, { type: 'sensor', sensorId: id })
    },
    async listDevices() {
      const [credentials, { sensors }] = await Promise.all([
        registry.listCredentials(),
        registry.sensorsSince(0),
      ])
      const byId = new Map(sensors.map((sensor) => [sensor.id, sensor]))
      return credentials.map((credential) => toDeviceRow(credential, byId.get(credential.username)))
    },
    rotateDevice: setNewSecret,
    async revokeDevice(username) {
      if (!(await registry.removeCredential(username))) throw unknownCredential(username)
      await disconnect?.(username)
      return { username }
    },
    async provideGateway({ username, prefix, sensors }) {
      const createdAtMs = clock.now()
      const known = await registry.findCredential(username)
      if (known && !(known.scope.type === 'gateway' && known.scope.prefix === prefix)) {
        throw new AppError(
          'credential-exists',
          `A device is called '${username}', which is the name of this gateway: revoke it first (pulso device revoke ${username})`,
          { status: 409 },
        )
      }
      await registry.putSensors(sensors.map((sensor) => ({ ...sensor, createdAtMs })))
      if (known) return setNewSecret(username)
      return addCredential(username, { type: 'gateway', prefix })
    },
    async addOperator(name) {
      if (!/^[\p{L}\p{N}._@-]{1,64}$/u.test(name)) {
        throw new AppError(
          'invalid-operator',
          `'${name}' is not a usable name: letters, digits and . _ @ -, at most 64`,
        )
      }
      if (await registry.getOperator(name)) {
        throw new AppError(
          'operator-exists',
          `There is an operator '${name}' already; 'pulso operator reset ${name}' gives a new password`,
          { status: 409 },
        )
      }
      return setNewPassword(name)
    },
    async resetOperator(name) {
      if (!(await registry.getOperator(name))) throw unknownOperator(name)
      return setNewPassword(name)
    },
    async listOperators() {
      return (await registry.listOperators()).map(({ name, createdAtMs }) => ({ name, createdAtMs }))
    },
    async removeOperator(name) {
      if (!(await registry.removeOperator(name))) throw unknownOperator(name)
      return { name }
    },
  }
}

function checkDevice({ id, kind, position, gatewayPrefix }: DeviceToAdd, kinds: Kinds): void {
  const mistakes: string[] = []
  if (!isSensorId(id)) mistakes.push(`'${id}' is not an id: 1 to 64 of letters, digits and . _ : -`)
  if (gatewayPrefix === undefined && (kind === undefined || !kinds.has(kind))) {
    mistakes.push(
      `--kind is one of ${[...kinds.keys()].join(', ')}${kind === undefined ? '' : `, not '${kind}'`}`,
    )
  }
  if (gatewayPrefix !== undefined && !isSensorId(gatewayPrefix))
    mistakes.push(`'${gatewayPrefix}' is not the beginning of a sensor id`)
  if (position && !(Math.abs(position.lat) <= 90 && Math.abs(position.lon) <= 180)) {
    mistakes.push('--lat is -90 to 90 and --lon -180 to 180')
  }
  if (mistakes.length > 0)
    throw new AppError('invalid-device', mistakes.join('\n'), { status: 400, details: mistakes })
}

function toDeviceRow(
  credential: Credential,
  sensor: { kind: string; position: Position | null } | undefined,
): DeviceRow {
  const { username, scope, createdAtMs } = credential
  return { username, scope, kind: sensor?.kind ?? null, position: sensor?.position ?? null, createdAtMs }
}

function unknownCredential(username: string): AppError {
  return new AppError(
    'unknown-credential',
    `There is no device '${username}'; 'pulso device list' shows those there are`,
    { status: 404 },
  )
}

function unknownOperator(name: string): AppError {
  return new AppError(
    'unknown-operator',
    `There is no operator '${name}'; 'pulso operator list' shows those there are`,
    {
      status: 404,
    },
  )
}

/** 160 random bits, in characters that no shell and no client takes amiss. */
function newSecret(): string {
  return randomBytes(20).toString('hex')
}

/** 100 random bits in characters that cannot be mistaken for one another when copied from a screen. */
function newPassword(): string {
  const alphabet = '23456789abcdefghijkmnpqrstuvwxyz'
  const characters = Array.from({ length: 20 }, () => alphabet[randomInt(alphabet.length)] ?? '')
  return characters.join('').replace(/(.{5})(?=.)/g, '$1-')
}
