import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt'
import { findProgram } from './programs.ts'
import { waitFor } from './wait.ts'

export interface Mosquitto {
  port: number
  url: string
  start(): Promise<void>
  /** Without a word, as when the machine's memory is full. */
  kill(): Promise<void>
  /** Makes it write what it holds to its folder. */
  save(): void
  publisher(options?: IClientOptions): Promise<MqttClient>
}

/** A real Mosquitto on a free port, with its data in the folder, ended with the test. */
export async function startMosquitto(
  context: TestContext,
  { folder, config = [] }: { folder: string; config?: readonly string[] },
): Promise<Mosquitto> {
  const port = await findFreePort()
  const file = join(folder, 'mosquitto.conf')
  const lines = [
    `listener ${port} 127.0.0.1`,
    // Started by root it would become somebody else, who may not read the test's folder.
    `user ${userInfo().username}`,
    'persistence true',
    `persistence_location ${folder}/`,
    'log_dest stderr',
    ...(config.some((line) => line.startsWith('allow_anonymous')) ? [] : ['allow_anonymous true']),
    ...config,
  ]
  await writeFile(file, `${lines.join('\n')}\n`)
  let running: ChildProcess | undefined

  const start = async (): Promise<void> => {
    const program = findProgram('mosquitto') ?? 'mosquitto'
    running = spawn(program, ['-c', file], { stdio: 'ignore' })
    await waitFor(() => answers(port), { what: 'Mosquitto to listen' })
  }
  const kill = async (): Promise<void> => {
    if (running?.exitCode !== null || running.signalCode !== null) return
    const ended = once(running, 'exit')
    running.kill('SIGKILL')
    await ended
  }
  const publishers: MqttClient[] = []
  context.after(async () => {
    for (const publisher of publishers) await publisher.endAsync(true)
    await kill()
  })
  await start()
  return {
    port,
    url: `mqtt://127.0.0.1:${port}`,
    start,
    kill,
    save: () => void running?.kill('SIGUSR1'),
    async publisher(options) {
      const client = mqtt.connect({ host: '127.0.0.1', port, reconnectPeriod: 20, ...options })
      publishers.push(client)
      client.on('error', () => undefined)
      await waitFor(() => client.connected, { what: 'the publisher to connect', everyMs: 5 })
      return client
    },
  }
}

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address ? address.port : 0
}

async function answers(port: number): Promise<boolean> {
  const socket = connect({ port, host: '127.0.0.1' })
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
