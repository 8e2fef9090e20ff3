import type { CredentialScope } from '@pulso/stores'
import type { AddedDevice, DeviceDetail, DeviceRow, RotatedDevice } from '../administration.ts'
import { toTable } from './shared.ts'

const ONCE = 'is shown this once and kept only as a hash.'

/** What people read after `device add`. */
export function describeAdded(added: AddedDevice): string {
  const { device } = added
  const lorawan =
    added.devEui === undefined
      ? ''
      : `LoRaWAN   ${added.devEui}, decoded by ${added.codec ?? 'the network server'}\n`
  if (added.access === 'none') {
    return `${lorawan}\n${device} is heard through its network server. It has no credential of its own.`
  }
  if (added.access === 'certificate') {
    return (
      `${lorawan}common name  ${added.commonName}\n\n` +
      `${device} has no secret: it needs a client certificate with this common name (CN), signed by the authority of PULSO_MQTT_TLS_CA.`
    )
  }
  return lorawan + describeSecret(added)
}

export function describeRotated(rotated: RotatedDevice): string {
  const { previousUntil } = rotated
  const old =
    previousUntil === null
      ? 'The old one has ended.'
      : `The old one is good until ${previousUntil}; then whoever still uses it can no longer connect.`
  return `${describeSecret(rotated)} ${old}`
}

export function describeList(rows: readonly DeviceRow[]): string {
  if (rows.length === 0) return 'There are no devices yet. Add one: pulso device add my-sensor --kind <kind>'
  return toTable(
    ['DEVICE', 'ACCESS', 'MAY PUBLISH FOR', 'KIND', 'POSITION', 'LORAWAN', 'SINCE', 'OLD SECRET UNTIL'],
    rows.map(({ device, access, scope, kind, position, lorawan, createdAt, previousUntil }) => [
      device,
      access,
      access === 'none' ? '–' : describeScope(scope),
      kind ?? '–',
      position ? `${position.lat}, ${position.lon}` : '–',
      lorawan ? `${lorawan.devEui}${lorawan.codec === null ? '' : ` ${lorawan.codec}`}` : '–',
      createdAt.slice(0, 10),
      previousUntil ?? '–',
    ]),
  )
}

export function describeDetail({
  device,
  sensor,
  credential,
  presence,
  lastReading,
  quarantine,
}: DeviceDetail): string {
  const { newest } = quarantine
  const lines: [string, string][] = [['device', device]]
  if (sensor) {
    const { name, position, lorawan } = sensor
    lines.push(
      ['kind', sensor.kind],
      ['name', name ?? '–'],
      ['position', position ? `${position.lat}, ${position.lon}` : 'not placed'],
    )
    if (lorawan) {
      lines.push(['LoRaWAN', `${lorawan.devEui}, decoded by ${lorawan.codec ?? 'the network server'}`])
    }
  }
  lines.push(['access', describeCredential(credential)])
  if (credential?.previousUntil) lines.push(['old secret', `good until ${credential.previousUntil}`])
  if (presence) lines.push(['presence', presence])
  if (sensor) lines.push(['last reading', describeReading(lastReading)])
  lines.push(['quarantined', quarantine.count === 0 ? 'nothing' : `${quarantine.count}, the newest:`])
  if (newest) {
    lines.push(['', `${newest.receivedAt}  ${newest.reason}  ${newest.topic}`], ['', newest.detail])
  }
  return lines.map(([title, text]) => `${title.padEnd(14)}${text}`.trimEnd()).join('\n')
}

function describeSecret(
  secret: Exclude<AddedDevice, { access: 'none' | 'certificate' }> | RotatedDevice,
): string {
  if (secret.access === 'token') {
    return (
      `token     ${secret.token}\n\n` +
      `${secret.device} uses it as its username, with an empty password. The token ${ONCE}`
    )
  }
  return `username  ${secret.username}\npassword  ${secret.password}\n\nThe password ${ONCE}`
}

function describeCredential(credential: DeviceDetail['credential']): string {
  if (!credential) return 'no credential of its own: a gateway or a network server speaks for it'
  const { access, scope, createdAt } = credential
  return `${access}, may publish for ${describeScope(scope)}, since ${createdAt.slice(0, 10)}`
}

function describeReading(reading: DeviceDetail['lastReading']): string {
  if (!reading) return 'none yet'
  const { time, receivedAt, values } = reading
  const shown = Object.entries(values).map(([metric, value]) => `${metric} ${value}`)
  return `${time} (received ${receivedAt}): ${shown.join(', ')}`
}

function describeScope(scope: CredentialScope): string {
  return scope.type === 'gateway' ? `${scope.prefix}…` : scope.sensorId
}
