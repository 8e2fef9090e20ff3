import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { Aedes } from 'aedes'
import pino from 'pino'
import { parseTopic, type Topic } from '@pulso/model'

export interface Received extends Topic {
  /** The objects of the payload, a batch or a single one. */
  objects: Record<string, unknown>[]
  isBatch: boolean
}

export interface TestBroker {
  url: string
  received: Received[]
  /** Resolves as soon as what has arrived satisfies the condition. */
  until(condition: (received: readonly Received[]) => boolean): Promise<void>
  /** Cuts all connections; clients may come again. */
  cut(): void
  stop(): Promise<void>
}

export const GATEWAY = { username: 'gateway', password: 'secret' }
export const silentLogger = pino({ level: 'silent' })

/** A real broker on a free port that knows one credential. */
export async function startBroker(mayPublish: (topic: string) => boolean = () => true): Promise<TestBroker> {
  const received: Received[] = []
  const waiting = new Set<() => void>()
  const sockets = new Set<Socket>()
  const aedes = await Aedes.createBroker()
  // eslint-disable-next-line max-params -- the broker's own signature
  aedes.authenticate = (_client, username, password, done) => {
    const isRight = username === GATEWAY.username && password?.toString() === GATEWAY.password
    done(isRight ? null : Object.assign(new Error('no'), { returnCode: 5 }), isRight)
  }
  aedes.authorizePublish = (client, packet, done) => {
    if (client && !mayPublish(packet.topic)) {
      done(new Error('not allowed'))
      return
    }
    const topic = parseTopic(packet.topic)
    if (topic) {
      const content: unknown = JSON.parse(packet.payload.toString())
      const isBatch = Array.isArray(content)
      received.push({ ...topic, isBatch, objects: (isBatch ? content : [content]) as Received['objects'] })
      for (const check of waiting) check()
    }
    done(null)
  }
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    aedes.handle(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    until: (condition) =>
      new Promise((resolve) => {
        const check = (): void => {
          if (!condition(received)) return
          waiting.delete(check)
          resolve()
        }
        waiting.add(check)
        check()
      }),
    cut() {
      for (const socket of sockets) socket.destroy()
    },
    async stop() {
      for (const socket of sockets) socket.destroy()
      await new Promise<void>((resolve) => {
        aedes.close(() => {
          server.close(() => {
            resolve()
          })
        })
      })
    },
  }
}
