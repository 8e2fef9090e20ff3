import { waitFor } from '../../support/wait.ts'
import { createConnection, type Connection } from './connection.ts'
import type { Ledger } from './ledger.ts'
import type { Message } from './message.ts'
import { createMessages, type Mix } from './messages.ts'
import type { Random } from './random.ts'

export interface PublisherOptions {
  random: Random
  ledger: Ledger
  mix: Mix
  connections: number
  messagesPerSecond: number
  /** Of the gateway that speaks for every sensor of the run. */
  credential: { username: string; password: string }
  prefix: string
  onSent: (message: Message) => void
  onAcknowledged: (message: Message) => void
}

/** The city's devices: they live on while the box is killed, and send again what it has not acknowledged. */
export interface Publisher {
  /** Where the box (or a broker that it reads from) listens, or will listen again. */
  open(port: number): void
  resume(): void
  /** Sends nothing new; what is in flight is still sent again until it is acknowledged. */
  pause(): void
  inFlight(): number
  /** Waits until everything is acknowledged. */
  settle(timeoutMs: number): Promise<void>
  /** Some of the connections break, and lose what was on its way to them. */
  cutSome(share: number): void
  stop(): void
}

const TICK_MS = 10
const WINDOW = 150

export function createPublisher(options: PublisherOptions): Publisher {
  const { random, credential } = options
  const messages = createMessages({ ...options, nowMs: Date.now() })
  const connections: Connection[] = Array.from({ length: options.connections }, (_, index) =>
    createConnection({
      clientId: `chaos-${index}`,
      ...credential,
      random,
      window: WINDOW,
      onSent: options.onSent,
      onAcknowledged: options.onAcknowledged,
    }),
  )
  let timer: NodeJS.Timeout | undefined
  let lastMs = 0
  let owed = 0
  let turn = 0

  const tick = (): void => {
    const nowMs = performance.now()
    // A pause of this process is not made up for: it would be one flood.
    owed += (Math.min(nowMs - lastMs, 100) * options.messagesPerSecond) / 1_000
    lastMs = nowMs
    for (; owed >= 1; owed--) {
      turn = (turn + 1) % connections.length
      const connection = connections[turn]
      if (connection?.isReady()) connection.publish(messages.next(turn))
    }
  }
  const inFlight = (): number => connections.reduce((sum, connection) => sum + connection.inFlight(), 0)
  const pause = (): void => {
    clearInterval(timer)
    timer = undefined
  }

  return {
    open: (port) => {
      for (const connection of connections) connection.open(port)
    },
    resume() {
      lastMs = performance.now()
      timer ??= setInterval(tick, TICK_MS)
    },
    pause,
    inFlight,
    async settle(timeoutMs) {
      await waitFor(() => inFlight() === 0, {
        what: 'every message to be acknowledged',
        timeoutMs,
      }).catch((cause: unknown) => {
        throw new Error(`${inFlight()} messages are not acknowledged`, { cause })
      })
    },
    cutSome(share) {
      for (const connection of connections) if (random.chance(share)) connection.cut()
    },
    stop() {
      pause()
      for (const connection of connections) connection.stop()
    },
  }
}
