import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { findProgram } from '../../support/programs.ts'
import { waitFor } from '../../support/wait.ts'
import { freePort } from './free-port.ts'

/** A Mosquitto as a city runs it: anybody may publish, sessions are kept, nothing of them is bounded. */
export interface MosquittoServer {
  port: number
  start(): Promise<void>
  kill(): Promise<void>
}

export async function createMosquittoServer(folder: string): Promise<MosquittoServer> {
  await mkdir(folder, { recursive: true })
  const port = await freePort()
  const file = join(folder, 'mosquitto.conf')
  const lines = [
    `listener ${port} 127.0.0.1`,
    // Started by root it would become somebody else, who may not read the folder.
    `user ${userInfo().username}`,
    'allow_anonymous true',
    'persistence true',
    `persistence_location ${folder}/`,
    'max_queued_messages 0',
    'log_dest none',
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
