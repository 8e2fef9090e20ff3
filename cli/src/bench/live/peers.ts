import { execFileSync } from 'node:child_process'
import { AppError } from '@pulso/model'
import type { Arrivals, ReadersOptions } from '@pulso/simulators'
import { spawnProgram } from '../process.ts'

/** What the readers' process is asked: to wait for a text, or how many bytes came. */
export type ReadersTask = { expect: string; timeoutMs: number } | { expect?: undefined }

export interface PlainTask {
  /** Bytes of each write, by connection. */
  sizes: readonly number[]
  everyMs: number
  times: number
}

export interface PlainResult {
  cpuMs: number
  writes: number
}

export interface ReadersClient {
  /** @param send called once the readers wait for the text */
  expect(text: string, send: () => void): Promise<Arrivals>
  bytes(): Promise<number[]>
  stop(): Promise<unknown>
}

const ARRIVAL_LIMIT_MS = 30_000

export async function startReaders(options: ReadersOptions): Promise<ReadersClient> {
  const program = spawnProgram('./live/readers-process.ts')
  const ask = async (task: ReadersTask): Promise<unknown> => {
    program.tell(task)
    return program.answer()
  }
  program.tell(options)
  await program.answer()
  return {
    async expect(text, send) {
      await ask({ expect: text, timeoutMs: ARRIVAL_LIMIT_MS })
      send()
      return (await program.answer()) as Arrivals
    },
    bytes: async () => (await ask({})) as number[],
    stop: program.stop,
  }
}

/** CPU of a process that writes to as many plain sockets as there are sizes. */
export async function measurePlain(task: PlainTask): Promise<PlainResult> {
  const program = spawnProgram('./live/plain-writer.ts')
  const { port } = (await program.answer()) as { port: number }
  const paths = task.sizes.map(() => null)
  const readers = await startReaders({ host: '127.0.0.1', port, paths, openedPerSecond: 2_000 })
  try {
    program.tell(task)
    return (await program.answer()) as PlainResult
  } finally {
    await readers.stop()
    await program.stop()
  }
}

/** What a process needs besides the readers: stores, libraries, its other connections. */
const OTHER_FILES = 200

/** @throws AppError `too-few-files` when a process may not open as many sockets as there are readers */
export function checkOpenFiles(readers: number): void {
  // Node raises the soft limit to the hard one itself.
  const text = execFileSync('sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' }).trim()
  const allowed = text === 'unlimited' ? Infinity : Number(text)
  if (readers + OTHER_FILES > allowed)
    throw new AppError(
      'too-few-files',
      `A process may open ${allowed} files here, and ${readers} readers need ${readers + OTHER_FILES}: ` +
        "raise the limit ('ulimit -Hn', as root or in /etc/security/limits.conf) or ask for fewer with --readers",
    )
}
