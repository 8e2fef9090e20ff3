import { AppError, type Clock } from '@pulso/model'
import type { Changes, CurrentState } from '../current/current-state.ts'
import type { SensorFilter } from '../http/query.ts'
import type { ApiLimits } from '../limits.ts'
import type { ApiMetrics } from '../metrics.ts'
import { createDelta } from './delta.ts'
import { parseEventId, toEventId } from './event.ts'
import { createHeldBytes } from './held-bytes.ts'
import { createPump } from './pump.ts'
import { writeTo, type Line, type Reader, type View } from './reader.ts'
import { createSeats } from './seats.ts'
import { createTransfers, type Transfer } from './transfer.ts'
import { createViews } from './views.ts'
import { LAST_CHUNK, toChunk, toPlain } from './wire.ts'

/** Larger events go out in pieces, so that it shows whether a reader takes any of it. */
const WHOLE_BYTES = 128 * 1024

const HEARTBEAT = toChunk(': still here\n\n')

export interface LiveFeedOptions {
  current: CurrentState
  clock: Clock
  limits: ApiLimits
  metrics: ApiMetrics
  /** Tells this run's event ids from another's. */
  runId: string
}

export interface OpenOptions {
  filter: SensorFilter
  lastEventId: string | undefined
  address: string
  /** Begins the answer, once the reader is let in. */
  begin(): Line
}

export interface LiveFeed {
  /**
   * A new reader: a snapshot, or what it missed since the event it names, then deltas.
   * @throws AppError `invalid-last-event-id` (400), `too-many-live-clients` (503),
   * `too-many-live-clients-of-address` (429)
   */
  open(options: OpenOptions): void
  /** Sends what changed since the last tick. */
  tick(): void
  /** A sign of life, so that proxies keep the connection and readers notice a dead one. */
  heartbeat(): void
  readonly clients: number
  stop(): void
}

/**
 * The live feed. A reader is live, and each tick writes its view's delta to it, or busy: something is still under way to
 * it. States are absolute, so nothing is queued for a busy reader: each sensor knows the tick of its last change, and the
 * reader gets those behind the tick it knows, each once, as soon as it has taken the rest.
 */
export function createLiveFeed({ current, clock, limits, metrics, runId }: LiveFeedOptions): LiveFeed {
  const seats = createSeats(limits)
  const views = createViews()
  const held = createHeldBytes()
  const transfers = createTransfers()
  const pump = createPump(held)
  const readers = new Set<Reader>()
  /** In the order in which they became so. */
  const busy = new Set<Reader>()
  const maxStuckTicks = Math.ceil(limits.liveSlowMs / limits.liveTickMs)
  const toId = (): string => toEventId(runId, current.sequence)

  const remove = (reader: Reader): void => {
    if (reader.isGone) return
    reader.isGone = true
    readers.delete(reader)
    busy.delete(reader)
    reader.view.live.delete(reader)
    views.leave(reader.view)
    held.hold(reader, undefined)
    reader.transfer = undefined
    seats.leave(reader.addressKey)
    metrics.liveClients.set(readers.size)
  }

  const drop = (reader: Reader, reason: string): void => {
    metrics.liveDropped.inc({ reason })
    remove(reader)
    reader.socket.destroy()
  }

  const makeBusy = (reader: Reader): void => {
    reader.view.live.delete(reader)
    reader.sequence = current.sequence
    reader.stuckTicks = 0
    busy.add(reader)
  }

  const startTransfer = (reader: Reader, transfer: Transfer | undefined): void => {
    makeBusy(reader)
    if (!transfer) return
    reader.transfer = transfer
    pump.start(reader)
  }

  const sendSnapshot = (reader: Reader): void => {
    const { zones, city } = current.groups()
    const event = { name: 'snapshot', id: toId(), nowMs: clock.now() } as const
    const groups = [...zones, ...city]
    startTransfer(
      reader,
      transfers.gather({ event, wish: reader.view, entries: current.list(), groups, since: Infinity }),
    )
  }

  const sendSince = (reader: Reader, since: number): void => {
    const event = { name: 'delta', id: toId(), nowMs: clock.now() } as const
    startTransfer(
      reader,
      transfers.gather({ event, wish: reader.view, ...current.changesSince(since), since }),
    )
  }

  const sendDelta = (view: View, bytes: Buffer): void => {
    metrics.liveDeltas.inc(view.live.size)
    for (const reader of view.live) {
      const { socket } = reader
      if (!socket.writable) remove(reader)
      else if (bytes.length > WHOLE_BYTES)
        startTransfer(reader, transfers.cut(reader.isChunked ? bytes : toPlain(bytes)))
      else {
        writeTo(reader, bytes)
        if (socket.writableLength === 0) continue
        makeBusy(reader)
        held.hold(reader, bytes)
      }
    }
  }

  const sendDeltas = (changes: Changes): void => {
    const delta = createDelta(changes, { id: toId(), nowMs: clock.now() })
    for (const view of views.values()) {
      const bytes = view.live.size > 0 ? delta.bytesFor(view) : undefined
      if (!bytes) continue
      sendDelta(view, bytes)
      boundHeldBytes()
    }
  }

  const boundHeldBytes = (): void => {
    if (held.total <= limits.liveUnsentBytes) return
    // Who has been waited for longest goes first.
    for (const reader of busy) {
      if (held.total <= limits.liveUnsentBytes) return
      if (reader.held) drop(reader, 'memory')
    }
  }

  const isWaitedFor = ({ transfer, socket }: Reader): boolean =>
    transfer !== undefined || socket.writableLength > 0

  /** Busy readers that have taken everything and missed nothing meanwhile are live again. */
  const reviveBusy = (): void => {
    for (const reader of busy) {
      if (isWaitedFor(reader)) {
        reader.stuckTicks += 1
        if (reader.stuckTicks >= maxStuckTicks) drop(reader, 'slow')
        continue
      }
      held.hold(reader, undefined)
      if (reader.sequence !== current.sequence) continue
      busy.delete(reader)
      reader.view.live.add(reader)
    }
  }

  /** Those that have taken everything, but were not there for some ticks. */
  const catchUpBusy = (hasChanged: boolean): void => {
    for (const reader of busy) {
      if (isWaitedFor(reader)) metrics.liveCoalesced.inc(hasChanged ? 1 : 0)
      else if (reader.sequence !== current.sequence) sendSince(reader, reader.sequence)
    }
  }

  return {
    open({ filter, lastEventId, address, begin }) {
      const since = toSince(lastEventId, runId)
      const addressKey = takeSeat(seats, address, metrics)
      const { socket, isChunked } = begin()
      const reader: Reader = {
        socket,
        isChunked,
        addressKey,
        view: views.join(filter),
        sequence: current.sequence,
        transfer: undefined,
        held: undefined,
        stuckTicks: 0,
        isGone: false,
      }
      readers.add(reader)
      metrics.liveClients.set(readers.size)
      if (!socket.writable) {
        remove(reader)
        return
      }
      socket.once('close', () => remove(reader))
      // Half closed is gone: HTTP ends its own side then, and nothing may be written any more.
      socket.once('end', () => remove(reader))
      writeTo(reader, toChunk(`retry: ${limits.liveRetryMs}\n\n`))
      if (since !== undefined && since <= current.sequence) sendSince(reader, since)
      else sendSnapshot(reader)
    },
    tick() {
      transfers.clear()
      reviveBusy()
      const changes = current.takeChanges()
      if (changes) sendDeltas(changes)
      catchUpBusy(changes !== undefined)
      boundHeldBytes()
      metrics.liveUnsentBytes.set(held.total)
    },
    heartbeat() {
      for (const { live } of views.values()) {
        for (const reader of live) if (reader.socket.writable) writeTo(reader, HEARTBEAT)
      }
    },
    get clients() {
      return readers.size
    },
    stop() {
      for (const reader of readers) {
        // In the middle of a chunk there is no polite end.
        if (reader.isChunked && !reader.transfer?.whole) reader.socket.end(LAST_CHUNK)
        else reader.socket.destroy()
        remove(reader)
      }
    },
  }
}

function takeSeat(
  seats: ReturnType<typeof createSeats>,
  address: string,
  metrics: ApiMetrics,
): string | undefined {
  try {
    return seats.take(address)
  } catch (error) {
    if (error instanceof AppError)
      metrics.liveDropped.inc({ reason: error.status === 429 ? 'address' : 'full' })
    throw error
  }
}

/** The tick of this run that a reader knows; a foreign or older run's id says nothing here. */
function toSince(lastEventId: string | undefined, runId: string): number | undefined {
  if (lastEventId === undefined || lastEventId === '') return undefined
  const id = parseEventId(lastEventId)
  if (!id)
    throw new AppError(
      'invalid-last-event-id',
      "'Last-Event-ID' must be the id of an event of this feed, unchanged; without it the feed begins with a snapshot",
      { status: 400 },
    )
  return id.runId === runId ? id.sequence : undefined
}
