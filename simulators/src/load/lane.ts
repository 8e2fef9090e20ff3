import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { AppError } from '@pulso/model'
import { encodeConnect, nextPacketId, type PacketRing } from './packets.ts'

export interface LaneOptions {
  host: string
  port: number
  clientId: string
  username: string
  password: string
  ring: PacketRing
  /** How many sensors take turns in the ring. */
  sensors: number
  /** Time of each sensor's first reading; the next ones follow a millisecond apart. */
  firstTimeMs: number
  /** Messages sent and not acknowledged, at most. */
  inFlight: number
  /** Told of each acknowledged message with the time that `send` was given for it. */
  onAcknowledged: (dueMs: number) => void
  /** Told after a chunk of acknowledgements. */
  onRoom: (lane: Lane) => void
  onFailure: (error: AppError) => void
}

/** One connection that publishes pre-encoded packets and counts what comes back. */
export interface Lane {
  /** How many may be sent at once. */
  room(): number
  /** @param dueMs when each of them should have been sent, by `performance.now()` */
  send(count: number, dueMs: (index: number) => number): void
  inFlight(): number
  close(): void
}

const CONNACK_BYTES = 4
const PUBACK_BYTES = 4
const PUBACK_TYPE = 0x40

/** @throws AppError `load-refused` when the broker does not let it in */
export async function openLane(options: LaneOptions): Promise<Lane> {
  const { host, port, ring, sensors, firstTimeMs, inFlight: limit } = options
  const socket = connect({ host, port, noDelay: true })
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  socket.write(encodeConnect(options))
  await readConnack(socket)

  const dueTimes = new Float64Array(limit)
  let sent = 0
  let acknowledged = 0
  let packetId = 0
  let expectedId = 1
  let isClosed = false
  /** The beginning of a PUBACK whose rest is still to come. */
  let rest: Buffer = Buffer.alloc(0)

  const fail = (message: string): void => {
    if (isClosed) return
    isClosed = true
    socket.destroy()
    options.onFailure(new AppError('load-failed', message))
  }
  const lane: Lane = {
    room: () => limit - (sent - acknowledged),
    inFlight: () => sent - acknowledged,
    send(count, dueMs) {
      for (let done = 0; done < count;) {
        const first = sent % ring.count
        const part = Math.min(count - done, ring.count - first)
        for (let index = 0; index < part; index++) {
          packetId = nextPacketId(packetId)
          dueTimes[sent % limit] = dueMs(done + index)
          ring.stamp(first + index, packetId, firstTimeMs + Math.floor(sent / sensors))
          sent++
        }
        socket.write(ring.slice(first, part))
        done += part
      }
    },
    close() {
      isClosed = true
      socket.destroy()
    },
  }
  socket.on('data', (chunk: Buffer) => {
    const bytes = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk
    let at = 0
    for (; at + PUBACK_BYTES <= bytes.length; at += PUBACK_BYTES) {
      const id = ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0)
      if (bytes[at] !== PUBACK_TYPE || id !== expectedId) {
        fail(
          `Expected the acknowledgement of packet ${expectedId}, got ${bytes.toString('hex', at, at + PUBACK_BYTES)}`,
        )
        return
      }
      expectedId = nextPacketId(expectedId)
      options.onAcknowledged(dueTimes[acknowledged % limit] ?? 0)
      acknowledged++
    }
    rest = bytes.subarray(at)
    options.onRoom(lane)
  })
  socket.on('close', () => fail('The broker closed a connection'))
  return lane
}

async function readConnack(socket: Socket): Promise<void> {
  const timeout = AbortSignal.timeout(30_000)
  try {
    while (socket.readableLength < CONNACK_BYTES) await once(socket, 'readable', { signal: timeout })
  } catch (cause) {
    throw new AppError('load-refused', 'The broker did not answer CONNECT', { cause })
  }
  const answer = socket.read(CONNACK_BYTES) as Buffer
  if (answer[3] !== 0)
    throw new AppError('load-refused', `The broker refused a connection: ${answer.toString('hex')}`)
}
