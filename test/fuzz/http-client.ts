import { Agent, request } from 'node:http'
import type { HttpCase } from './http-cases.ts'

export interface HttpAnswer {
  status: number
  headers: Record<string, string>
  body: Buffer
  /** There was more than we wanted to see: a feed, or a large download. */
  isCut: boolean
}

export interface HttpClient {
  send(request: Pick<HttpCase, 'method' | 'url' | 'headers' | 'body'>): Promise<HttpAnswer>
  close(): void
}

const MAX_BYTES = 512 * 1024
const LIMIT_MS = 20_000

/** Sends addresses as they are, which `fetch` would put in order first. */
export function createHttpClient(http: string): HttpClient {
  const { hostname, port } = new URL(http)
  const agent = new Agent({ keepAlive: true, maxSockets: 16 })
  return {
    send: ({ method, url, headers, body }) =>
      new Promise((resolve, reject) => {
        const asked = request({ agent, hostname, port, method, path: url, headers, timeout: LIMIT_MS })
        asked.on('timeout', () => asked.destroy(new Error(`no answer within ${LIMIT_MS} ms`)))
        asked.on('error', reject)
        asked.on('response', (answer) => {
          const chunks: Buffer[] = []
          let bytes = 0
          const end = (isCut: boolean): void =>
            resolve({
              status: answer.statusCode ?? 0,
              headers: answer.headers as Record<string, string>,
              body: Buffer.concat(chunks),
              isCut,
            })
          answer.on('data', (chunk: Buffer) => {
            chunks.push(chunk)
            bytes += chunk.length
            if (bytes < MAX_BYTES && answer.headers['content-type']?.startsWith('text/event-stream') !== true)
              return
            end(true)
            answer.destroy()
          })
          answer.on('end', () => end(false))
          answer.on('error', reject)
        })
        if (body !== undefined) asked.setHeader('content-length', Buffer.byteLength(body))
        asked.end(body)
      }),
    close: () => agent.destroy(),
  }
}
