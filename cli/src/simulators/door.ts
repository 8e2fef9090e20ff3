import { AppError } from '@pulso/model'
import type { GatewayToProvide, Secret } from '../administration.ts'
import type { RunningBoxMethods } from '../box/box.ts'
import { parseConfig } from '../config/config.ts'
import { connectControl } from '../control.ts'

export interface DoorOptions {
  mqtt?: string
  api?: string
  username?: string
  password?: string
}

/** Where a simulator knocks, and as whom. */
export interface Door extends Secret {
  mqttUrl: string
  apiUrl?: string
}

/**
 * The door of the box that runs on this data folder, with a gateway's credential made for the occasion; or, where
 * `--mqtt` names a broker, that one with the credential given.
 * @throws AppError `box-not-running`, `credential-needed`
 */
export async function findDoor(options: DoorOptions, gateway: GatewayToProvide): Promise<Door> {
  if (options.mqtt !== undefined) return toRemoteDoor(options.mqtt, options)
  const { dataDir } = parseConfig(process.env)
  const box = await connectControl<RunningBoxMethods>(dataDir)
  if (!box) {
    throw new AppError(
      'box-not-running',
      `No box runs on ${dataDir}. Start one first (npx pulso start), or name a broker with --mqtt, --username and --password`,
    )
  }
  const [{ http, mqtt }, secret] = await Promise.all([box.status(), box.provideGateway(gateway)])
  return { ...secret, mqttUrl: `mqtt://${mqtt.host}:${mqtt.port}`, apiUrl: http }
}

function toRemoteDoor(mqttUrl: string, { username, password, api }: DoorOptions): Door {
  if (!/^mqtts?:\/\//.test(mqttUrl) || !URL.canParse(mqttUrl)) {
    throw new AppError('invalid-address', `'${mqttUrl}' is no MQTT address: write mqtt://host:1883`)
  }
  if (username === undefined || password === undefined) {
    throw new AppError(
      'credential-needed',
      '--mqtt needs --username and --password of a gateway (pulso device add ID --gateway PREFIX)',
    )
  }
  return { mqttUrl, username, password, ...(api === undefined ? {} : { apiUrl: api }) }
}

/** Aborted by the first Ctrl-C. */
export function untilInterrupted(): AbortSignal {
  const controller = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => controller.abort())
  return controller.signal
}
