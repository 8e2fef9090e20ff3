import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { waitFor } from '../../test/support/wait.ts'
import type { TestApi } from './helper.ts'

/** Short times, so that no test waits for a clock. */
export const FAST = { liveTickMs: 5, sensorsPollMs: 5 }

export interface RawReader {
  socket: Socket
  /** Everything that came, head included. */
  text(): string
  until(what: RegExp): Promise<string>
  ended: Promise<unknown>
}

/** A connection on which exactly these bytes are sent. */
export async function openRaw(t: TestContext, { address }: TestApi, request: string): Promise<RawReader> {
  const socket = connect({ port: Number(new URL(address).port), host: '127.0.0.1', allowHalfOpen: true })
  t.after(() => socket.destroy())
  let text = ''
  socket.setEncoding('latin1').on('data', (chunk: string) => (text += chunk))
  socket.on('error', () => undefined)
  const ended = Promise.race([once(socket, 'end'), once(socket, 'close')])
  await once(socket, 'connect')
  socket.write(request)
  return {
    socket,
    text: () => text,
    until: (what) => waitFor(() => (what.test(text) ? text : undefined), { what: String(what), everyMs: 2 }),
    ended,
  }
}

export function toRequest(path: string, { method = 'GET', version = '1.1', headers = '' } = {}): string {
  return `${method} ${path} HTTP/${version}\r\nHost: localhost\r\n${headers}\r\n`
}

export async function untilClients({ metrics }: TestApi, count: number): Promise<void> {
  await waitFor(async () => (await metrics.metrics()).includes(`pulso_live_clients ${count}\n`), {
    what: `${count} readers of the feed`,
  })
}

/** The payload of a chunked answer (RFC 9112, 7.1), and whether it has come to its end. */
export function parseChunked(text: string): { body: string; isComplete: boolean } {
  let at = text.indexOf('\r\n\r\n') + 4
  let body = ''
  for (;;) {
    const lineEnd = text.indexOf('\r\n', at)
    if (lineEnd < 0) return { body, isComplete: false }
    const size = parseInt(text.slice(at, lineEnd), 16)
    assert.ok(Number.isInteger(size), `a chunk's size, not ${text.slice(at, lineEnd)}`)
    if (size === 0) return { body, isComplete: true }
    body += text.slice(lineEnd + 2, lineEnd + 2 + size)
    at = lineEnd + 2 + size + 2
    if (at > text.length) return { body, isComplete: false }
    assert.equal(text.slice(at - 2, at), '\r\n', 'a chunk ends with its line')
  }
}
