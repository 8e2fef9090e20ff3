import type { Readable } from 'node:stream'
import { AppError, type Clock } from '@pulso/model'
import type { CurrentState } from '../current/current-state.ts'
import type { SensorFilter } from '../http/query.ts'
import type { ApiLimits } from '../limits.ts'
import type { ApiMetrics } from '../metrics.ts'
import { createLiveClient, type LiveClient } from './client.ts'
import { encodeEvent } from './encode.ts'

/** Encoded events kept within a tick for readers of the same filter. */
const MAX_CACHED_EVENTS = 64

const HEARTBEAT = Buffer.from(': still here\n\n')

export interface LiveFeedOptions {
  current: CurrentState
  clock: Clock
  limits: ApiLimits
  metrics: ApiMetrics
  /** Tells this run's event ids from another's. */
  runId: string
}

export interface LiveFeed {
  /**
   * A new reader's stream: a snapshot, or what it missed since the event it names, then deltas.
   * @throws AppError `too-many-live-clients` (503)
   */
  open(options: { filter: SensorFilter; lastEventId: string | undefined }): Readable
  /** Sends what changed since the last tick. */
  tick(): void
  /** A sign of life, so that proxies keep the connection and readers notice a dead one. */
  heartbeat(): void
  readonly clients: number
  stop(): void
}

/**
 * The live feed. States are absolute, so what a reader missed (behind a slow line, or while it was away) is not queued
 * for it: each sensor knows the tick of its last change, and the reader gets those behind the last tick it knows.
 */
export function createLiveFeed({ current, clock, limits, metrics, runId }: LiveFeedOptions): LiveFeed {
  const clients = new Set<LiveClient>()
  const cache = new Map<string, Buffer | undefined>()
  const toEventId = (sequence: number): string => `${runId}-${sequence}`

  const cached = (key: string, encode: () => Buffer | undefined): Buffer | undefined => {
    if (cache.has(key)) return cache.get(key)
    const bytes = encode()
    if (cache.size < MAX_CACHED_EVENTS) cache.set(key, bytes)
    return bytes
  }

  const sendSnapshot = (client: LiveClient): void => {
    const { sequence } = current
    const bytes = cached(`snapshot ${client.filterKey}`, () => {
      const { zones, city } = current.groups()
      return encodeEvent(
        { entries: [...current.list()], groups: [...zones, ...city] },
        {
          name: 'snapshot',
          id: toEventId(sequence),
          nowMs: clock.now(),
          filter: client.filter,
          since: sequence,
        },
      )
    })
    client.sequence = sequence
    if (bytes) client.send(bytes)
  }

  const sendSince = (client: LiveClient, since: number, changes = current.changesSince(since)): void => {
    const { sequence } = current
    const bytes = cached(`${since} ${client.filterKey}`, () =>
      encodeEvent(changes, {
        name: 'delta',
        id: toEventId(sequence),
        nowMs: clock.now(),
        filter: client.filter,
        since,
      }),
    )
    client.sequence = sequence
    if (bytes) client.send(bytes)
  }

  const drop = (client: LiveClient, reason: string): void => {
    metrics.liveDropped.inc({ reason })
    client.stream.destroy()
  }

  /** Too much unsent: its changes wait. Without progress over a whole while it is let go. */
  const isTooSlow = (client: LiveClient): boolean => {
    const bytes = client.bufferedBytes
    const nowMs = clock.now()
    if (bytes <= limits.liveBufferBytes) client.slow = undefined
    else if (!client.slow) client.slow = { sinceMs: nowMs, bytes }
    else if (nowMs - client.slow.sinceMs >= limits.liveSlowMs) {
      if (client.slow.bytes - bytes < limits.liveBufferBytes) drop(client, 'slow')
      else client.slow = { sinceMs: nowMs, bytes }
    }
    return client.slow !== undefined
  }

  return {
    open({ filter, lastEventId }) {
      if (clients.size >= limits.liveClients) {
        metrics.liveDropped.inc({ reason: 'full' })
        throw new AppError('too-many-live-clients', 'The live feed is full; try again in a minute', {
          status: 503,
        })
      }
      const client = createLiveClient({ filter, filterKey: toFilterKey(filter) })
      clients.add(client)
      metrics.liveClients.set(clients.size)
      client.stream.once('close', () => {
        clients.delete(client)
        metrics.liveClients.set(clients.size)
      })
      client.send(Buffer.from(`retry: ${limits.liveRetryMs}\n\n`))
      const since = parseEventId(lastEventId, runId)
      if (since !== undefined && since <= current.sequence) sendSince(client, since)
      else sendSnapshot(client)
      return client.stream
    },
    tick() {
      const changes = current.takeChanges()
      if (changes) cache.clear()
      for (const client of clients) {
        if (isTooSlow(client) || client.sequence === current.sequence) continue
        const isUpToDate = changes !== undefined && client.sequence === changes.sequence - 1
        sendSince(client, client.sequence, isUpToDate ? changes : undefined)
      }
    },
    heartbeat() {
      for (const client of clients) if (!client.slow) client.send(HEARTBEAT)
    },
    get clients() {
      return clients.size
    },
    stop() {
      for (const client of clients) client.end()
    },
  }
}

/** The tick an id of this run names. */
function parseEventId(id: string | undefined, runId: string): number | undefined {
  if (!id?.startsWith(`${runId}-`)) return undefined
  const sequence = Number(id.slice(runId.length + 1))
  return Number.isSafeInteger(sequence) && sequence >= 0 ? sequence : undefined
}

function toFilterKey({ kinds, bbox }: SensorFilter): string {
  return `${kinds ? [...kinds].sort().join(',') : '*'} ${bbox?.join(',') ?? '*'}`
}
