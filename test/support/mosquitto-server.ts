import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { findProgram } from './programs.ts'
import { waitFor } from './wait.ts'
import { freePort } from '../chaos/support/free-port.ts'

export interface MosquittoServer {
  port: number
  start(): Promise<void>
  /** Without a word, as when the machine's memory is full. */
  kill(): Promise<void>
  /** Makes it write what it holds to its folder. */
  save(): void
}

/** A real Mosquitto on a free port that keeps sessions in the folder; anybody may come in unless `config` says otherwise. */
export async function createMosquittoServer(
  folder: string,
  config: readonly string[] = [],
): Promise<MosquittoServer> {
  await mkdir(folder, { recursive: true })
  const port = await freePort()
  const file = join(folder, 'mosquitto.conf')
  const lines = [
    `listener ${port} 127.0.0.1`,
    // Started by root it would become somebody else, who may not read the folder.
    `user ${userInfo().username}`,
    'persistence true',
    `persistence_location ${folder}/`,
    'log_dest none',
    ...(config.some((line) => line.startsWith('allow_anonymous')) ? [] : ['allow_anonymous true']),
    ...config,
  ]
  await writeFile(file, `${lines.join('\n')}\n`)
  let running: ChildProcess | undefined
  return {
    port,
    async start() {
      running = spawn(findProgram('mosquitto') ?? 'mosquitto', ['-c', file], { stdio: 'ignore' })
      await waitFor(() => answers(port), { what: 'Mosquitto to listen' })
    },
    async kill() {
      if (running?.exitCode !== null || running.signalCode !== null) return
      const ended = once(running, 'exit')
      running.kill('SIGKILL')
      await ended
    },
    save: () => void running?.kill('SIGUSR1'),
  }
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
