import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { AppError, messageOf } from '@pulso/model'

export interface ReadersOptions {
  host: string
  port: number
  /** What each reader asks for; `null` for a reader that asks for nothing and only reads. */
  paths: readonly (string | null)[]
  /** The server may bound how fast one address asks. */
  openedPerSecond: number
}

export interface Arrivals {
  /** When it arrived, in ms since 1970, one for each reader that it reached in time; sorted. */
  atMs: number[]
  /** Readers that it did not reach. */
  missing: number
}

/**
 * Many readers of a live feed on bare sockets. They take the bytes and look for a text in them and no more: what they cost
 * is not to be part of what is measured beside them.
 */
export interface Readers {
  /** Waits until this text has come to each of them. */
  expect(text: string, timeoutMs: number): Promise<Arrivals>
  /** Bytes that each one has received so far. */
  bytes(): number[]
  close(): void
}

const STATUS_OK = 'HTTP/1.1 200'
const READ_BYTES = 256 * 1024

interface Expected {
  text: Buffer
  atMs: number[]
  /** Readers that have it, by index. */
  seen: Uint8Array
  whenAll: () => void
}

interface Line {
  socket: Socket
  bytes: number
  /** The end of what came last: a text may come in two parts. */
  rest: Buffer
}

/** Opens them all. @throws AppError `reader-refused` when the server does not let one in */
export async function openReaders(options: ReadersOptions): Promise<Readers> {
  const { paths, openedPerSecond } = options
  const lines: Line[] = []
  // Each read is looked through before the next one, so all of them read into the same memory.
  const shared = Buffer.alloc(READ_BYTES)
  let expected: Expected | undefined
  let failure: AppError | undefined

  const look = (index: number, line: Line, chunk: Buffer): void => {
    line.bytes += chunk.length
    if (!expected || expected.seen[index]) return
    const { text } = expected
    const isThere =
      chunk.includes(text) || Buffer.concat([line.rest, chunk.subarray(0, text.length)]).includes(text)
    if (isThere) {
      expected.seen[index] = 1
      expected.atMs.push(performance.timeOrigin + performance.now())
      if (expected.atMs.length === paths.length) expected.whenAll()
    } else line.rest = Buffer.from(chunk.subarray(-text.length))
  }

  const startedAt = performance.now()
  for (const [index, path] of paths.entries()) {
    const dueAt = startedAt + (index * 1_000) / openedPerSecond
    if (dueAt > performance.now()) await sleep(dueAt - performance.now())
    const { socket, whenRead } = await openReader(options, { path, shared })
    const line: Line = { socket, bytes: 0, rest: Buffer.alloc(0) }
    lines.push(line)
    whenRead((chunk) => look(index, line, chunk))
    socket.once('close', () => {
      failure ??= new AppError('reader-failed', `Reader ${index + 1} was let go`)
      expected?.whenAll()
    })
  }

  return {
    async expect(text, timeoutMs) {
      const all = Promise.withResolvers<undefined>()
      const wanted: Expected = {
        text: Buffer.from(text),
        atMs: [],
        seen: new Uint8Array(paths.length),
        whenAll: () => all.resolve(undefined),
      }
      for (const line of lines) line.rest = Buffer.alloc(0)
      expected = wanted
      const timer = setTimeout(wanted.whenAll, timeoutMs)
      await all.promise
      clearTimeout(timer)
      expected = undefined
      if (failure) throw failure
      const atMs = wanted.atMs.toSorted((a, b) => a - b)
      return { atMs, missing: paths.length - atMs.length }
    },
    bytes: () => lines.map(({ bytes }) => bytes),
    close() {
      for (const { socket } of lines) socket.removeAllListeners('close').destroy()
    },
  }
}

interface OpenReader {
  socket: Socket
  /** From now on each read goes there. */
  whenRead(take: (chunk: Buffer) => void): void
}

async function openReader(
  { host, port }: ReadersOptions,
  { path, shared }: { path: string | null; shared: Buffer },
): Promise<OpenReader> {
  const first = Promise.withResolvers<string>()
  let head = Buffer.alloc(0)
  let take: ((chunk: Buffer) => void) | undefined
  const socket = connect({
    host,
    port,
    noDelay: true,
    onread: {
      buffer: shared,
      callback(length) {
        const chunk = shared.subarray(0, length)
        if (take) take(chunk)
        else {
          head = Buffer.concat([head, chunk])
          if (head.length >= STATUS_OK.length) first.resolve(head.toString('latin1', 0, STATUS_OK.length))
        }
        return true
      },
    },
  })
  socket.on('error', (error) => first.reject(error))
  socket.once('close', () => first.reject(new Error('the connection was closed')))
  try {
    await Promise.race([once(socket, 'connect'), first.promise])
    if (path !== null) {
      socket.write(`GET ${path} HTTP/1.1\r\nHost: ${host}:${port}\r\nAccept: text/event-stream\r\n\r\n`)
      const status = await first.promise
      if (status !== STATUS_OK) throw new Error(`it answered ${status}`)
    }
  } catch (error) {
    socket.destroy()
    throw new AppError('reader-refused', `A reader was not let in: ${messageOf(error)}`, { cause: error })
  }
  // Nobody waits for the first bytes any more.
  first.promise.catch(() => undefined)
  return {
    socket,
    whenRead(taker) {
      take = taker
      if (head.length > 0) take(head)
      head = Buffer.alloc(0)
    },
  }
}
