import { spawn, type ChildProcess } from 'node:child_process'
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
  /** From the start of the process to the line that says it runs. */
  readyMs: number
  /** Sends Ctrl-C; resolves with how long the end took. */
  stop(): Promise<number>
}

/** Starts a real box in a process of its own, on free ports. */
export async function spawnBox(dataDir: string, args: readonly string[]): Promise<BoxProcess> {
  const startedAt = performance.now()
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL('../pulso.ts', import.meta.url)), 'start', '--json', ...args],
    {
      env: {
        ...process.env,
        PULSO_DATA_DIR: dataDir,
        PULSO_HTTP_PORT: '0',
        PULSO_MQTT_PORT: '0',
        PULSO_LOG_LEVEL: 'error',
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  const line = await Promise.race([firstLine(child), failure(child)])
  return {
    report: JSON.parse(line) as StartReport,
    readyMs: performance.now() - startedAt,
    async stop() {
      const stoppedAt = performance.now()
      child.kill('SIGINT')
      await once(child, 'exit')
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

async function firstLine({ stdout }: ChildProcess): Promise<string> {
  if (!stdout) throw new AppError('bench-failed', 'The box has no output')
  const [line] = (await once(createInterface({ input: stdout }), 'line')) as [string]
  return line
}

async function failure(child: ChildProcess): Promise<never> {
  const [code] = (await once(child, 'exit')) as [number | null]
  throw new AppError('bench-failed', `The box ended with code ${code ?? 'none'} before it was ready`)
}
