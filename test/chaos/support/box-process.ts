import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { boxEnvironment, ROOT } from '../../support/box.ts'
import { waitFor } from '../../support/wait.ts'

export interface BoxProcessOptions {
  dataDir: string
  /** The same one after each restart, so that devices come back by themselves. */
  mqttPort: number
  env: Record<string, string>
  /** Options of Node itself. */
  nodeArgs?: readonly string[]
}

/** A `pulso start` that may be killed at any moment, also before it is ready. */
export interface BoxProcess {
  http: string
  /** Resolves when the box has said where it listens. */
  listening: Promise<void>
  /** From its start to `/health/ready`. */
  untilReady(timeoutMs?: number): Promise<number>
  ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
  /** Sends the signal and waits for the end. */
  end(signal: NodeJS.Signals): Promise<{ code: number | null; signal: NodeJS.Signals | null }>
  isRunning(): boolean
  /** The end of its log. */
  log(): string
}

const PULSO = join(ROOT, 'cli/src/pulso.ts')
const MAX_LOG_CHARACTERS = 200_000

export function startBoxProcess({ dataDir, mqttPort, env, nodeArgs = [] }: BoxProcessOptions): BoxProcess {
  const startedMs = performance.now()
  const child = spawn(process.execPath, [...nodeArgs, PULSO, 'start', '--json'], {
    cwd: ROOT,
    env: boxEnvironment({ dataDir, env: { PULSO_MQTT_PORT: String(mqttPort), ...env } }),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let log = ''
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    log = (log + chunk).slice(-MAX_LOG_CHARACTERS)
  })
  const ended = once(child, 'exit').then(([code, signal]) => ({
    code: code as number | null,
    signal: signal as NodeJS.Signals | null,
  }))
  const isRunning = (): boolean => isAlive(child)
  const box: BoxProcess = {
    http: '',
    listening: readReport(child).then(({ http }) => void (box.http = http)),
    async untilReady(timeoutMs = 120_000) {
      await Promise.race([box.listening, ended])
      await waitFor(
        async () => {
          if (!isRunning()) return true
          return (await fetch(new URL('/health/ready', box.http))).ok
        },
        { what: 'the box to be ready', timeoutMs, everyMs: 10 },
      )
      if (!isRunning()) throw new Error(`the box ended before it was ready:\n${log.slice(-4_000)}`)
      return performance.now() - startedMs
    },
    ended,
    async end(signal) {
      if (isRunning()) child.kill(signal)
      return ended
    },
    isRunning,
    log: () => log,
  }
  box.listening.catch(() => undefined)
  return box
}

function isAlive({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode === null && signalCode === null
}

async function readReport(child: ChildProcess): Promise<{ http: string }> {
  if (!child.stdout) throw new Error('the box has no output')
  const lines = createInterface({ input: child.stdout })
  const first = Promise.withResolvers<string>()
  lines.once('line', first.resolve)
  lines.once('close', () => first.reject(new Error('the box ended before it listened')))
  return JSON.parse(await first.promise) as { http: string }
}
