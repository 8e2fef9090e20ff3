import type { Socket } from 'node:net'
import { toAddressKey, type Clock } from '@pulso/model'
import { createBucket, takeToken, type Bucket } from './bucket.ts'
import type { CalmLog } from './calm-log.ts'
import { createLedger } from './ledger.ts'
import { BURST_SECONDS, type BrokerLimits } from './limits.ts'
import type { BrokerMetrics } from './metrics.ts'

/** An open socket, from its first byte on: the gate counts it before TLS, WebSocket or MQTT see anything of it. */
export interface Ticket {
  readonly socket: Socket
  readonly address: string
  /** Unless the address is exempt. */
  readonly share: AddressShare | undefined
  /** Runs until the CONNACK: the socket is half-open as long as it is there. */
  deadline: NodeJS.Timeout | undefined
}

/** What one address has open. */
interface AddressShare {
  connections: number
  halfOpen: number
  readonly connects: Bucket | undefined
}

export interface Gate {
  /** Counts the socket, or closes it and gives nothing. */
  open(socket: Socket): Ticket | undefined
  /** The CONNACK has been sent. */
  settle(ticket: Ticket): void
  /** Sockets without CONNACK. */
  halfOpen(): number
  closeAll(): void
}

export interface GateOptions {
  limits: BrokerLimits
  clock: Clock
  metrics: BrokerMetrics
  log: CalmLog
  /** Addresses that the limits per address leave out. */
  isExempt: (address: string) => boolean
}

/** Bounds the sockets: how many, how fast they come, how long they may stay without saying who they are. */
export function createGate({ limits, clock, metrics, log, isExempt }: GateOptions): Gate {
  const open = new Set<Ticket>()
  /** In the order in which they came. */
  const halfOpen = new Set<Ticket>()
  const connects = createBucket(limits.connectsPerSecond, clock.now())
  const shares = createLedger<AddressShare>({
    create: () => ({
      connections: 0,
      halfOpen: 0,
      connects: createBucket(limits.connectsPerSecondPerAddress, clock.now()),
    }),
    keepMs: BURST_SECONDS * 1_000,
    maxAbsent: limits.rememberedSenders,
    clock,
  })

  const refuse = (socket: Socket, address: string, reason: string): void => {
    metrics.connectionRefused(reason)
    log.warn('Socket refused', { reason, address })
    socket.destroy()
  }

  const judge = (share: AddressShare | undefined): string | undefined => {
    if (open.size >= limits.connections) return 'too-many-connections'
    if (share && isOver(share.connections, limits.connectionsPerAddress)) return 'too-many-of-address'
    if (share && isOver(share.halfOpen, limits.halfOpenPerAddress)) return 'half-open-of-address'
    const nowMs = clock.now()
    if (share && !takeToken(share.connects, nowMs)) return 'connect-rate-of-address'
    return takeToken(connects, nowMs) ? undefined : 'connect-rate'
  }

  const settle = (ticket: Ticket): void => {
    if (!halfOpen.delete(ticket)) return
    clearTimeout(ticket.deadline)
    ticket.deadline = undefined
    if (ticket.share) ticket.share.halfOpen--
  }

  const refuseHalfOpen = (ticket: Ticket, reason: string): void => {
    settle(ticket)
    refuse(ticket.socket, ticket.address, reason)
  }

  return {
    open(socket) {
      // A line that breaks before anyone listens for it must not end the process.
      socket.on('error', ignore)
      const address = socket.remoteAddress
      if (address === undefined) {
        socket.destroy()
        return undefined
      }
      const key = isExempt(address) ? undefined : toAddressKey(address)
      const share = key === undefined ? undefined : shares.enter(key)
      const reason = judge(share)
      if (reason) {
        if (key !== undefined) shares.leave(key)
        refuse(socket, address, reason)
        return undefined
      }
      const ticket: Ticket = { socket, address, share, deadline: undefined }
      ticket.deadline = setTimeout(() => refuseHalfOpen(ticket, 'connect-timeout'), limits.connectTimeoutMs)
      open.add(ticket)
      halfOpen.add(ticket)
      if (share) {
        share.connections++
        share.halfOpen++
      }
      socket.once('close', () => {
        settle(ticket)
        open.delete(ticket)
        if (share) share.connections--
        if (key !== undefined) shares.leave(key)
      })
      // Whoever says CONNECT at once is never the oldest for long, so a flood of silent sockets keeps nobody else out.
      const [oldest] = halfOpen
      if (halfOpen.size > limits.halfOpen && oldest) refuseHalfOpen(oldest, 'half-open')
      return ticket
    },
    settle,
    halfOpen: () => halfOpen.size,
    closeAll() {
      for (const { socket } of open) socket.destroy()
    },
  }
}

function isOver(count: number, limit: number): boolean {
  return limit > 0 && count >= limit
}

function ignore(): void {
  // What ends a connection is told by whoever serves it.
}
