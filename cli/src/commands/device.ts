import { InvalidArgumentError, Option, type Command } from 'commander'
import { AppError, parseDuration, type Position } from '@pulso/model'
import type { CredentialAccess } from '@pulso/stores'
import type { DeviceToAdd } from '../administration.ts'
import { describeAdded, describeDetail, describeList, describeRotated } from './device-text.ts'
import { addDeviceImportCommand } from './device-import.ts'
import { print, withAdministration } from './shared.ts'

interface AddOptions {
  kind?: string
  name?: string
  lat?: number
  lon?: number
  gateway?: string
  password?: true
  token?: true
  certificate?: true
  devEui?: string
  codec?: string
  json?: true
}

export function addDeviceCommands(program: Command): void {
  const device = program
    .command('device')
    .description('Give devices their credentials. Works while the box runs, and without one.')
  addAddCommand(device)
  addDeviceImportCommand(device)
  addQueryCommands(device)
  addSecretCommands(device)
}

function addAddCommand(device: Command): void {
  device
    .command('add')
    .argument('<id>', 'the sensor’s id, which is also its username: 1 to 64 of letters, digits and . _ : -')
    .description('Add a sensor, or a gateway that speaks for many, and show its credential once')
    .option('--kind <kind>', 'the kind of sensor; a wrong one shows those there are')
    .option('--name <name>', 'what people call it')
    .option('--lat <degrees>', 'where it stands (WGS 84)', toDegrees)
    .option('--lon <degrees>', 'where it stands (WGS 84)', toDegrees)
    .option('--gateway <prefix>', 'a gateway: may publish for every sensor id that starts with this')
    .addOption(
      new Option('--token', 'one secret in the username’s place, as ThingsBoard’s devices have').conflicts([
        'certificate',
        'password',
      ]),
    )
    .addOption(
      new Option('--certificate', 'a client certificate (mutual TLS) instead of a secret').conflicts(
        'password',
      ),
    )
    .addOption(new Option('--password', 'username and password: the default, but with --dev-eui'))
    .option('--dev-eui <eui>', 'a LoRaWAN device: 16 hex digits; its network server speaks for it')
    .option('--codec <name>', 'what reads its payload, where the network server does not')
    .option('--json', 'print one object with the credential')
    .action(async (id: string, options: AddOptions) => {
      const added = await withAdministration((administration) =>
        administration.addDevice(toDevice(id, options)),
      )
      print(options.json, added, () => describeAdded(added))
    })
}

function addQueryCommands(device: Command): void {
  device
    .command('list')
    .description('Show the credentials and LoRaWAN devices there are')
    .option('--json', 'print a list')
    .action(async (options: { json?: true }) => {
      const rows = await withAdministration((administration) => administration.listDevices())
      print(options.json, rows, () => describeList(rows))
    })

  device
    .command('show')
    .argument('<id>')
    .description('Show all that is known of one device: last heard, and why its messages were refused')
    .option('--json', 'print one object')
    .action(async (id: string, options: { json?: true }) => {
      const detail = await withAdministration((administration) => administration.findDevice(id))
      if (!detail) {
        throw new AppError('unknown-device', `Nothing is known of '${id}', and it was never heard`, {
          status: 404,
        })
      }
      print(options.json, detail, () => describeDetail(detail))
    })
}

function addSecretCommands(device: Command): void {
  device
    .command('rotate')
    .argument('<username>')
    .description('Replace a lost or leaked secret: the old one ends at once, open connections too')
    .option(
      '--overlap <duration>',
      'let the old one be good for a while (1h, at most 30d) and leave open connections alone',
      toDurationMs,
    )
    .option('--json', 'print one object with the credential')
    .action(async (username: string, options: { overlap?: number; json?: true }) => {
      const { overlap } = options
      const rotated = await withAdministration((administration) =>
        overlap === undefined
          ? administration.rotateDevice(username)
          : administration.rotateDevice(username, overlap),
      )
      print(options.json, rotated, () => describeRotated(rotated))
    })

  device
    .command('revoke')
    .argument('<username>')
    .description('Take the credential away, and end its connections; what the sensor has measured stays')
    .option('--json', 'print {"username"}')
    .action(async (username: string, options: { json?: true }) => {
      const revoked = await withAdministration((administration) => administration.revokeDevice(username))
      print(options.json, revoked, () => `Nobody can speak as ${username} any more.`)
    })
}

function toDevice(id: string, options: AddOptions): DeviceToAdd {
  const { kind, name, gateway, devEui, codec } = options
  const access = toAccess(options)
  return {
    id,
    ...(kind !== undefined && { kind }),
    ...(name !== undefined && { name }),
    ...toPosition(options),
    ...(gateway !== undefined && { gatewayPrefix: gateway }),
    ...(devEui !== undefined && { devEui }),
    ...(codec !== undefined && { codec }),
    ...(access && { access }),
  }
}

function toAccess({ token, certificate, password }: AddOptions): CredentialAccess | undefined {
  if (token) return 'token'
  if (certificate) return 'certificate'
  return password && 'password'
}

function toDegrees(text: string): number {
  const degrees = Number(text)
  if (text.trim() === '' || !Number.isFinite(degrees))
    throw new InvalidArgumentError('write degrees like 43.4623')
  return degrees
}

function toDurationMs(text: string): number {
  try {
    return parseDuration(text)
  } catch {
    throw new InvalidArgumentError('write a number and a unit, like 30m, 1h or 7d')
  }
}

function toPosition({ lat, lon }: AddOptions): { position?: Position } {
  if (lat === undefined && lon === undefined) return {}
  if (lat === undefined || lon === undefined) throw new InvalidArgumentError('--lat and --lon go together')
  return { position: { lat, lon } }
}
