import { InvalidArgumentError, type Command } from 'commander'
import type { Position } from '@pulso/model'
import type { DeviceRow, Secret } from '../administration.ts'
import { print, toTable, withAdministration } from './shared.ts'

interface AddOptions {
  kind?: string
  name?: string
  lat?: number
  lon?: number
  gateway?: string
  json?: true
}

export function addDeviceCommands(program: Command): void {
  const device = program
    .command('device')
    .description('Give devices their credentials. Works while the box runs.')

  device
    .command('add')
    .argument('<id>', 'the sensor’s id, which is also its username: 1 to 64 of letters, digits and . _ : -')
    .description('Add a sensor, or a gateway that speaks for many, and show its credential once')
    .option('--kind <kind>', 'the kind of sensor; a wrong one shows those there are')
    .option('--name <name>', 'what people call it')
    .option('--lat <degrees>', 'where it stands (WGS 84)', toDegrees)
    .option('--lon <degrees>', 'where it stands (WGS 84)', toDegrees)
    .option('--gateway <prefix>', 'a gateway: may publish for every sensor id that starts with this')
    .option('--json', 'print {"username","password"}')
    .action(async (id: string, options: AddOptions) => {
      const { kind, name, gateway } = options
      const secret = await withAdministration((administration) =>
        administration.addDevice({
          id,
          ...(kind === undefined ? {} : { kind }),
          ...(name === undefined ? {} : { name }),
          ...toPosition(options),
          ...(gateway === undefined ? {} : { gatewayPrefix: gateway }),
        }),
      )
      print(options.json, secret, () => describeSecret(secret))
    })

  device
    .command('list')
    .description('Show the credentials there are')
    .option('--json', 'print a list')
    .action(async (options: { json?: true }) => {
      const rows = await withAdministration((administration) => administration.listDevices())
      print(options.json, rows, () => describeDevices(rows))
    })

  device
    .command('rotate')
    .argument('<username>')
    .description('Replace a lost or leaked secret: the old one ends at once')
    .option('--json', 'print {"username","password"}')
    .action(async (username: string, options: { json?: true }) => {
      const secret = await withAdministration((administration) => administration.rotateDevice(username))
      print(options.json, secret, () => describeSecret(secret))
    })

  device
    .command('revoke')
    .argument('<username>')
    .description('Take the credential away; what the sensor has measured stays')
    .option('--json', 'print {"username"}')
    .action(async (username: string, options: { json?: true }) => {
      const revoked = await withAdministration((administration) => administration.revokeDevice(username))
      print(options.json, revoked, () => `${username} can no longer connect.`)
    })
}

function toDegrees(text: string): number {
  const degrees = Number(text)
  if (text.trim() === '' || !Number.isFinite(degrees))
    throw new InvalidArgumentError('write degrees like 43.4623')
  return degrees
}

function toPosition({ lat, lon }: AddOptions): { position?: Position } {
  if (lat === undefined && lon === undefined) return {}
  if (lat === undefined || lon === undefined) throw new InvalidArgumentError('--lat and --lon go together')
  return { position: { lat, lon } }
}

function describeSecret({ username, password }: Secret): string {
  return `username  ${username}\npassword  ${password}\n\nThe password is shown this once and kept only as a hash.`
}

function describeDevices(rows: readonly DeviceRow[]): string {
  if (rows.length === 0) return 'There are no devices yet. Add one: pulso device add my-sensor --kind <kind>'
  return toTable(
    ['USERNAME', 'MAY PUBLISH FOR', 'KIND', 'POSITION', 'SINCE'],
    rows.map(({ username, scope, kind, position, createdAtMs }) => [
      username,
      scope.type === 'gateway' ? `${scope.prefix}…` : scope.sensorId,
      kind ?? '–',
      position ? `${position.lat}, ${position.lon}` : '–',
      new Date(createdAtMs).toISOString().slice(0, 10),
    ]),
  )
}
