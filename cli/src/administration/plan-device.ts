import { isDeepStrictEqual } from 'node:util'
import { isSensorId, type Kinds, type Sensor } from '@pulso/model'
import { hashSecret, type Credential, type CredentialAccess, type Registry } from '@pulso/stores'
import type { AddedDevice, DeviceAccess, DeviceToAdd } from './device.ts'
import { newSecret } from './secrets.ts'

export interface PlanOptions {
  registry: Registry
  kinds: Kinds
  /** Names of the codecs that there are. */
  codecs: ReadonlySet<string>
  nowMs: number
  /** Known devices are brought up to date instead of refused: what is not said stays as it is, secrets too. */
  isImport: boolean
}

/** What adding a device comes to. */
export type DevicePlan =
  | { mistakes: readonly string[] }
  | {
      mistakes: readonly []
      effect: 'added' | 'updated' | 'unchanged'
      /** To be put; `null` for a gateway and for a sensor that stays as it is. */
      sensor: Sensor | null
      credential: Credential | null
      added: AddedDevice
      /** A secret was made here and has to be shown. */
      hasNewSecret: boolean
      /** Another secret was given than the one in use, which stays. */
      keepsOtherSecret: boolean
    }

const DEV_EUI = /^[0-9A-F]{16}$/
/** What fits into a CONNECT of 1 KiB and into any client's settings. */
const SECRET = /^[\x21-\x7e]{8,256}$/
const NAME_LENGTH = 200

/** Checks a device against itself and against what is known, and says what there is to change. Changes nothing. */
export async function planDevice(device: DeviceToAdd, options: PlanOptions): Promise<DevicePlan> {
  const { id, secret } = device
  const spelling = checkSpelling(device, options)
  if (spelling.length > 0) return { mistakes: spelling }
  const { registry } = options
  const devEui = toDevEui(device.devEui)
  const [knownSensor, knownCredential, euiOwner, tokenOwner] = await Promise.all([
    registry.getSensor(id),
    registry.findCredential(id),
    devEui === undefined ? undefined : registry.findSensorByDevEui(devEui),
    secret === undefined ? undefined : registry.findToken(hashSecret(secret)),
  ])
  const known = { sensor: knownSensor, credential: knownCredential }
  const access = toAccess(device, known, options)
  const mistakes = checkAgainstKnown(device, { ...known, access }, options)
  if (euiOwner && euiOwner.id !== id) {
    mistakes.push(`the LoRaWAN device ${devEui ?? ''} is the sensor '${euiOwner.id}' already`)
  }
  if (access === 'token' && tokenOwner && tokenOwner.username !== id) {
    mistakes.push(`its token is that of '${tokenOwner.username}' already`)
  }
  if (mistakes.length > 0) return { mistakes }

  const sensor = device.gatewayPrefix === undefined ? toSensor(device, knownSensor, options) : null
  const makesCredential = access !== 'none' && !knownCredential
  const { credential, shown } = makesCredential
    ? createCredential({ ...device, access }, options.nowMs)
    : { credential: null, shown: { access: 'none' as const } }
  const changesSensor = sensor !== null && !isDeepStrictEqual(sensor, knownSensor)
  const isKnown = knownSensor !== undefined || knownCredential !== undefined
  return {
    mistakes: [],
    effect: !isKnown ? 'added' : changesSensor || makesCredential ? 'updated' : 'unchanged',
    sensor: changesSensor ? sensor : null,
    credential,
    added: { device: id, ...shown, ...sensor?.lorawan },
    hasNewSecret: makesCredential && secret === undefined && access !== 'certificate',
    keepsOtherSecret:
      !makesCredential && secret !== undefined && hashSecret(secret) !== knownCredential?.secretHash,
  }
}

/** A credential, with a new secret unless one is given. */
export function createCredential(
  device: Pick<DeviceToAdd, 'id' | 'gatewayPrefix' | 'secret'> & { access: CredentialAccess },
  nowMs: number,
): { credential: Credential; shown: Exclude<DeviceAccess, { access: 'none' }> } {
  const { id, gatewayPrefix: prefix, access, secret = newSecret() } = device
  const credential: Credential = {
    username: id,
    access,
    secretHash: access === 'certificate' ? null : hashSecret(secret),
    previous: null,
    scope: prefix === undefined ? { type: 'sensor', sensorId: id } : { type: 'gateway', prefix },
    createdAtMs: nowMs,
  }
  return {
    credential,
    shown:
      access === 'certificate' ? { access, commonName: id } : showSecret({ username: id, access, secret }),
  }
}

/** A secret as the device has to use it. */
export function showSecret(options: { username: string; access: 'password' | 'token'; secret: string }) {
  const { username, access, secret } = options
  return access === 'password'
    ? { access, username, password: secret }
    : { access, username: secret, password: '', token: secret }
}

/** What is wrong with it whatever else is known. */
function checkSpelling(device: DeviceToAdd, { kinds, codecs }: PlanOptions): string[] {
  const { id, kind, name, position, gatewayPrefix, codec, access, secret } = device
  const devEui = toDevEui(device.devEui)
  const isGateway = gatewayPrefix !== undefined
  const checks: [boolean, string][] = [
    [!isSensorId(id), `'${id}' is not an id: 1 to 64 of letters, digits and . _ : -`],
    [
      kind !== undefined && !kinds.has(kind),
      `the kind is one of ${[...kinds.keys()].join(', ')}, not '${kind ?? ''}'`,
    ],
    [isGateway && !isSensorId(gatewayPrefix), `'${gatewayPrefix ?? ''}' is not the beginning of a sensor id`],
    [
      isGateway && (kind !== undefined || position !== undefined || devEui !== undefined),
      'a gateway has neither kind nor place nor DevEUI: its sensors have',
    ],
    [
      position !== undefined && !(Math.abs(position.lat) <= 90 && Math.abs(position.lon) <= 180),
      'the latitude is -90 to 90 and the longitude -180 to 180',
    ],
    [name !== undefined && name.length > NAME_LENGTH, `a name has at most ${NAME_LENGTH} characters`],
    [
      devEui !== undefined && !DEV_EUI.test(devEui),
      `'${device.devEui ?? ''}' is not a DevEUI: 16 hexadecimal digits, as on the device’s label`,
    ],
    [codec !== undefined && devEui === undefined, 'a codec belongs to a DevEUI'],
    [
      codec !== undefined && !codecs.has(codec),
      `the codec is one of ${[...codecs].join(', ')}, not '${codec ?? ''}'; leave it out where the network decodes`,
    ],
    [
      secret !== undefined && (access === 'none' || access === 'certificate'),
      `a secret is given, and the access '${access ?? ''}' has none`,
    ],
    [
      secret !== undefined && !SECRET.test(secret),
      'a given secret has 8 to 256 characters, ASCII without spaces',
    ],
    [isGateway && access === 'none', 'a gateway without access would have nothing to do'],
  ]
  return checks.filter(([isWrong]) => isWrong).map(([, mistake]) => mistake)
}

interface Known {
  sensor: Sensor | undefined
  credential: Credential | undefined
}

/** Sensors that are known without a credential of their own speak through a gateway: an import leaves them to it. */
function toAccess(device: DeviceToAdd, known: Known, { isImport }: PlanOptions): CredentialAccess | 'none' {
  if (device.access !== undefined) return device.access
  if (isImport && known.credential) return known.credential.access
  if (device.secret !== undefined || device.gatewayPrefix !== undefined) return 'password'
  return device.devEui !== undefined || (isImport && known.sensor) ? 'none' : 'password'
}

function checkAgainstKnown(
  device: DeviceToAdd,
  { sensor, credential, access }: Known & { access: CredentialAccess | 'none' },
  { kinds, isImport }: PlanOptions,
): string[] {
  const { id, kind, gatewayPrefix } = device
  const mistakes: string[] = []
  if (gatewayPrefix === undefined && kind === undefined && !sensor) {
    mistakes.push(`a new sensor needs its kind, one of ${[...kinds.keys()].join(', ')}`)
  }
  if (kind !== undefined && sensor && sensor.kind !== kind) {
    mistakes.push(`'${id}' is of the kind '${sensor.kind}' and cannot become '${kind}': choose another id`)
  }
  if (!credential || access === 'none') return mistakes
  if (!isImport) {
    mistakes.push(`there is a credential '${id}' already; 'pulso device rotate ${id}' gives it a new secret`)
    return mistakes
  }
  const { scope } = credential
  const isSame =
    gatewayPrefix === undefined
      ? scope.type === 'sensor'
      : scope.type === 'gateway' && scope.prefix === gatewayPrefix
  if (!isSame) {
    const is = scope.type === 'gateway' ? `a gateway for '${scope.prefix}'` : 'a single sensor'
    mistakes.push(`'${id}' is ${is} already: revoke it first (pulso device revoke ${id})`)
  } else if (credential.access !== access) {
    mistakes.push(
      `'${id}' gets in with a ${credential.access} already: revoke it first (pulso device revoke ${id})`,
    )
  }
  return mistakes
}

/** The sensor as it shall be: what is not said stays as it is. */
function toSensor(device: DeviceToAdd, known: Sensor | undefined, { nowMs }: PlanOptions): Sensor {
  const devEui = toDevEui(device.devEui)
  const sameDevice = devEui !== undefined && known?.lorawan?.devEui === devEui ? known.lorawan : undefined
  const lorawan =
    devEui === undefined ? known?.lorawan : { devEui, codec: device.codec ?? sameDevice?.codec ?? null }
  return {
    id: device.id,
    kind: device.kind ?? known?.kind ?? '',
    name: device.name ?? known?.name ?? null,
    position: device.position ?? known?.position ?? null,
    attributes: device.attributes ?? known?.attributes ?? {},
    createdAtMs: known?.createdAtMs ?? nowMs,
    ...(lorawan && { lorawan }),
  }
}

/** Labels and consoles write `00-11-22-…`, `00:11:22:…` or small letters. */
function toDevEui(text: string | undefined): string | undefined {
  return text?.replaceAll(/[\s:-]/g, '').toUpperCase()
}
