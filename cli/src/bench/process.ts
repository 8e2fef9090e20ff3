import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { AppError } from '@pulso/model'
import type { StartReport } from '../box/start-report.ts'

export interface BoxProcess {
  report: StartReport
  pid: number
  /** From the start of the process to the line that says it runs. */
  readyMs: number
  /** Sends Ctrl-C; resolves with how long the end took. */
  stop(): Promise<number>
}

/** Starts a real box in a process of its own, on free ports. */
export async function spawnBox(
  dataDir: string,
  args: readonly string[],
  variables: Record<string, string> = {},
): Promise<BoxProcess> {
  const startedAt = performance.now()
  const box = spawnProgram('../pulso.ts', ['start', '--json', ...args], {
    PULSO_DATA_DIR: dataDir,
    PULSO_HTTP_PORT: '0',
    PULSO_MQTT_PORT: '0',
    PULSO_LOG_LEVEL: 'error',
    ...variables,
  })
  const report = (await box.answer()) as StartReport
  return { report, pid: box.pid, readyMs: performance.now() - startedAt, stop: box.stop }
}

/** A program of ours in a process of its own, which answers in lines of JSON. */
export interface Program {
  pid: number
  /** Its next line. @throws AppError `bench-failed` when it ends instead */
  answer(): Promise<unknown>
  /** Gives it a line. */
  tell(message: object): void
  /** Sends Ctrl-C; resolves with how long the end took. */
  stop(): Promise<number>
}

/** @param file relative to this one */
export function spawnProgram(
  file: string,
  args: readonly string[] = [],
  variables: Record<string, string> = {},
): Program {
  const child = spawn(process.execPath, [fileURLToPath(new URL(file, import.meta.url)), ...args], {
    env: { ...process.env, ...variables },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const ended = once(child, 'exit')
  return {
    pid: child.pid ?? 0,
    async answer() {
      const line = await lines.next()
      if (!line.done) return JSON.parse(line.value) as unknown
      const [code] = (await ended) as [number | null]
      throw new AppError('bench-failed', `${file} ended with code ${code ?? 'none'}`)
    },
    tell: (message) => void child.stdin.write(`${JSON.stringify(message)}\n`),
    async stop() {
      const stoppedAt = performance.now()
      child.kill('SIGINT')
      await ended
      return performance.now() - stoppedAt
    },
  }
}

/** A folder that is gone afterwards. */
export async function withBenchFolder<T>(action: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'pulso-bench-'))
  try {
    return await action(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
