import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const PULSO = join(ROOT, 'cli/src/pulso.ts')

export interface Secret {
  username: string
  password: string
}

/** A real `pulso start` in a process of its own, on free ports, with a folder of its own. */
export interface RunningBox {
  http: string
  mqtt: { host: string; port: number }
  dataDir: string
  operator: Secret | null
  firstReading: (Secret & { topic: string; payload: string }) | null
  process: ChildProcess
  /** What it wrote to standard error: its log. */
  log(): string
  /** Sends the signal and waits for the end. */
  stop(signal?: NodeJS.Signals): Promise<{ code: number | null; elapsedMs: number }>
}

export interface BoxSetup {
  dataDir: string
  env?: Record<string, string>
  args?: readonly string[]
}

/** The environment of a box for tests: nothing of ours but what the test asks for. */
export function boxEnvironment({ dataDir, env = {} }: BoxSetup): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !name.startsWith('PULSO_') && !name.startsWith('NODE_'),
  )
  return {
    ...Object.fromEntries(inherited),
    PULSO_DATA_DIR: dataDir,
    PULSO_HTTP_PORT: '0',
    PULSO_MQTT_PORT: '0',
    ...env,
  }
}

export async function startBox(setup: BoxSetup): Promise<RunningBox> {
  const child = spawn(process.execPath, [PULSO, 'start', '--json', ...(setup.args ?? [])], {
    cwd: ROOT,
    env: boxEnvironment(setup),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let log = ''
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (log += chunk))
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`the box ended with code ${String(code)} before it was ready:\n${log}`)
  })
  const [line] = (await Promise.race([once(createInterface({ input: child.stdout }), 'line'), ended])) as [
    string,
  ]
  ended.catch(() => undefined)
  const report = JSON.parse(line) as Pick<
    RunningBox,
    'http' | 'mqtt' | 'dataDir' | 'operator' | 'firstReading'
  >
  return {
    ...report,
    process: child,
    log: () => log,
    async stop(signal = 'SIGINT') {
      const startedMs = performance.now()
      if (child.exitCode !== null || child.signalCode !== null) return { code: child.exitCode, elapsedMs: 0 }
      child.kill(signal)
      const [code] = (await once(child, 'exit')) as [number | null]
      return { code, elapsedMs: performance.now() - startedMs }
    },
  }
}

/** A box that is stopped and whose folder is removed when the scope ends. */
export async function withBox<T>(
  setup: Omit<BoxSetup, 'dataDir'>,
  action: (box: RunningBox) => Promise<T>,
): Promise<T> {
  return withFolder(async (dataDir) => {
    const box = await startBox({ ...setup, dataDir })
    try {
      return await action(box)
    } catch (error) {
      process.stderr.write(box.log())
      throw error
    } finally {
      await box.stop()
    }
  })
}

export async function withFolder<T>(action: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'pulso-test-'))
  try {
    return await action(folder)
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

export interface CommandResult {
  code: number | null
  stdout: string
  stderr: string
}

/** Runs `pulso …` to its end. */
export async function runPulso(args: readonly string[], setup: BoxSetup): Promise<CommandResult> {
  const child = spawn(process.execPath, [PULSO, ...args], {
    cwd: ROOT,
    env: boxEnvironment(setup),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  return collect(child)
}

export async function collect(child: ChildProcess): Promise<CommandResult> {
  let [stdout, stderr] = ['', '']
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk))
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, stdout, stderr }
}

/** `pulso device add … --json` on the box's folder, while it runs. */
export async function addDevice(box: { dataDir: string }, args: readonly string[]): Promise<Secret> {
  const { code, stdout, stderr } = await runPulso(['device', 'add', ...args, '--json'], box)
  if (code !== 0) throw new Error(`device add failed: ${stderr}`)
  return JSON.parse(stdout) as Secret
}
