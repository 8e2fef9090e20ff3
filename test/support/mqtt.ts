import { spawn } from 'node:child_process'
import { connectAsync, type IClientOptions, type MqttClient } from 'mqtt'
import { collect, type CommandResult, type RunningBox, type Secret } from './box.ts'
import { findProgram } from './programs.ts'

/** A device's connection; it does not connect again by itself, so that a refusal is seen. */
export function connectDevice(
  box: RunningBox,
  { username, password }: Secret,
  options: IClientOptions = {},
): Promise<MqttClient> {
  return connectAsync(`mqtt://${box.mqtt.host}:${box.mqtt.port}`, {
    username,
    password,
    reconnectPeriod: 0,
    ...options,
  })
}

/** Debian's `mosquitto_pub`, as a newcomer would call it: QoS 1, so that it ends with 0 only after the PUBACK. */
export function mosquittoPub(
  box: RunningBox,
  secret: Secret,
  message: { topic: string; payload: string },
): Promise<CommandResult> {
  const { host, port } = box.mqtt
  const credential = ['-u', secret.username, '-P', secret.password]
  const args = [
    '-h',
    host,
    '-p',
    String(port),
    '-q',
    '1',
    ...credential,
    '-t',
    message.topic,
    '-m',
    message.payload,
  ]
  return collect(
    spawn(findProgram('mosquitto_pub') ?? 'mosquitto_pub', args, { stdio: ['ignore', 'pipe', 'pipe'] }),
  )
}
