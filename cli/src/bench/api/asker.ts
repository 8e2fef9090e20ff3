import { connect, type Socket } from 'node:net'
import { AppError } from '@pulso/model'

export interface AskerOptions {
  host: string
  port: number
  path: string
  connections: number
}

export interface AskRun {
  warmUpMs: number
  durationMs: number
  /** In all; without it each connection asks again as soon as it is answered. */
  ratePerSecond?: number
}

export interface AskResult {
  answers: number
  seconds: number
  /** Bytes of an answer's body. */
  bytes: number
  medianMs: number
  p99Ms: number
}

const HEAD_END = '\r\n\r\n'

/**
 * Asks one path over bare sockets, one question under way on each: an HTTP library on this side would cost more than
 * what is measured. With a rate, a question's time counts from when it was due, so that a stall is not hidden by asking
 * later.
 */
export async function openAsker(options: AskerOptions): Promise<{
  run(run: AskRun): Promise<AskResult>
  close(): void
}> {
  const lines = await Promise.all(Array.from({ length: options.connections }, () => openLine(options)))
  return {
    async run({ warmUpMs, durationMs, ratePerSecond }) {
      const startedMs = performance.now()
      const [fromMs, endMs] = [startedMs + warmUpMs, startedMs + warmUpMs + durationMs]
      const times: number[] = []
      let bytes = 0
      const everyMs = ratePerSecond === undefined ? 0 : (1_000 * lines.length) / ratePerSecond
      const work = lines.map(async (line, index) => {
        let dueMs = startedMs + (everyMs * index) / lines.length
        while (dueMs < endMs) {
          const waitMs = dueMs - performance.now()
          if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs))
          bytes = await line.ask()
          const nowMs = performance.now()
          if (nowMs >= fromMs && nowMs < endMs) times.push(nowMs - dueMs)
          dueMs = everyMs === 0 ? nowMs : dueMs + everyMs
        }
      })
      await Promise.all(work)
      times.sort((a, b) => a - b)
      const at = (share: number): number =>
        times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? NaN
      return { answers: times.length, seconds: durationMs / 1_000, bytes, medianMs: at(0.5), p99Ms: at(0.99) }
    },
    close: () => {
      for (const line of lines) line.close()
    },
  }
}

interface Line {
  /** @returns the body's bytes. @throws AppError `bench-failed` for any answer but 200 */
  ask(): Promise<number>
  close(): void
}

async function openLine({ host, port, path }: AskerOptions): Promise<Line> {
  const socket = await new Promise<Socket>((resolve, reject) => {
    const opened = connect(port, host, () => resolve(opened))
    opened.once('error', reject).setNoDelay(true)
  })
  const question = Buffer.from(`GET ${path} HTTP/1.1\r\nhost: ${host}\r\n\r\n`)
  let asked: PromiseWithResolvers<number> | undefined
  let [missing, length] = [-1, 0]
  let head = ''
  const fail = (message: string): void => asked?.reject(new AppError('bench-failed', message))
  socket.on('data', (chunk: Buffer) => {
    let rest = chunk.length
    if (missing < 0) {
      head += chunk.toString('latin1')
      const end = head.indexOf(HEAD_END)
      if (end < 0) return
      if (!head.startsWith('HTTP/1.1 200')) {
        fail(`${path} answered ${head.slice(0, 200)}`)
        return
      }
      length = Number(/\r\ncontent-length: (\d+)/i.exec(head.slice(0, end + 2))?.[1] ?? NaN)
      if (Number.isNaN(length)) {
        fail(`${path} does not say how long its answer is`)
        return
      }
      rest = head.length - end - HEAD_END.length
      missing = length
      head = ''
    }
    missing -= rest
    if (missing > 0) return
    missing = -1
    asked?.resolve(length)
  })
  socket.on('close', () => fail(`${path}: the connection was closed`))
  return {
    ask() {
      asked = Promise.withResolvers<number>()
      socket.write(question)
      return asked.promise
    },
    close: () => socket.destroy(),
  }
}
