import { performance } from 'node:perf_hooks'
import { toAppError, type AppError } from '@pulso/model'
import type { JournalMessage, JournalWriter } from '@pulso/stores'
import { MESSAGE_OVERHEAD_BYTES, type BrokerLimits } from './limits.ts'

/** One sender's messages in one group commit that are answered together. */
export interface Parcel {
  readonly group: object
  readonly flow: Flow
  /** Of those that wait for a PUBACK, in the order they came. */
  readonly packetIds: number[]
  messages: number
  bytes: number
}

/** One sender's share of what is in flight. */
export interface Flow {
  inFlightBytes: number
  /** The newest; it takes more as long as its group does. */
  parcel: Parcel | undefined
  /** A parcel is kept or could not be. */
  settle(parcel: Parcel, error?: AppError): void
  /** Reads on after `mayRead` has said no. */
  resume(): void
}

export interface Intake {
  /** Hands a message to the journal; `done` is called once it is kept or could not be. */
  keep(message: JournalMessage, flow: Flow, done: (error?: AppError) => void): void
  /**
   * The same for many: no `done` for each, but the sender's messages of a commit are settled together.
   * @param packetId 0 when nobody waits for an answer
   */
  keepParcelled(message: JournalMessage, flow: Flow, packetId: number): void
  /** False while the sender, or all of them together, have enough in flight. */
  mayRead(flow: Flow): boolean
  /** Resolves when nothing is in flight. */
  drained(): Promise<void>
}

interface Entry {
  flow: Flow
  bytes: number
  done: (error?: AppError) => void
}

/** The messages of one group commit. */
interface Group {
  startedAtMs: number
  /** In the order they came, and so are they answered (MQTT 3.1.1, 4.6). */
  items: (Entry | Parcel)[]
  messages: number
  bytes: number
}

export interface IntakeOptions {
  journal: JournalWriter
  limits: BrokerLimits
  /** A group commit has ended; `error` when nothing of it is kept. */
  onCommit: (commit: { messages: number; seconds: number; error?: AppError }) => void
}

/**
 * Between the door and the journal. Messages that share the journal's promise are settled together, with one reaction
 * instead of one per message, in the order they came. What is in flight is bounded by not reading on.
 */
export function createIntake({ journal, limits, onCommit }: IntakeOptions): Intake {
  const halfBytes = limits.inFlightBytes / 2
  const shareBytes = Math.min(limits.connectionInFlightBytes, halfBytes / limits.connections)
  const held = new Set<Flow>()
  const waiting: (() => void)[] = []
  let inFlightBytes = 0
  let inFlightMessages = 0
  let latest: { kept: Promise<void>; group: Group } | undefined

  const mayRead = (flow: Flow): boolean => {
    // While nothing is committed, what is left goes to those with little in flight: their pings are still answered.
    const mostBytes = inFlightBytes < halfBytes ? limits.connectionInFlightBytes : shareBytes
    return flow.inFlightBytes < mostBytes && inFlightBytes < limits.inFlightBytes
  }

  const settle = (group: Group, error?: AppError): void => {
    if (latest?.group === group) latest = undefined
    for (const { flow, bytes } of group.items) flow.inFlightBytes -= bytes
    inFlightBytes -= group.bytes
    inFlightMessages -= group.messages
    const seconds = (performance.now() - group.startedAtMs) / 1_000
    onCommit({ messages: group.messages, seconds, ...(error && { error }) })
    for (const item of group.items) {
      if ('done' in item) {
        item.done(error)
        continue
      }
      if (item.flow.parcel === item) item.flow.parcel = undefined
      item.flow.settle(item, error)
    }
    for (const flow of held) {
      if (!mayRead(flow)) continue
      held.delete(flow)
      flow.resume()
    }
    if (inFlightMessages === 0) for (const resolve of waiting.splice(0)) resolve()
  }

  const begin = (kept: Promise<void>): Group => {
    const group: Group = { startedAtMs: performance.now(), items: [], messages: 0, bytes: 0 }
    latest = { kept, group }
    kept.then(
      () => settle(group),
      (thrown: unknown) => settle(group, toAppError(thrown, 'journal-failed')),
    )
    return group
  }

  /** Hands it to the journal. @returns its group, with the message's weight already in it */
  const append = (message: JournalMessage, flow: Flow, bytes: number): Group => {
    const kept = journal.append(message)
    const group = latest?.kept === kept ? latest.group : begin(kept)
    group.messages++
    group.bytes += bytes
    flow.inFlightBytes += bytes
    inFlightBytes += bytes
    inFlightMessages++
    return group
  }

  return {
    keep(message, flow, done) {
      const bytes = weigh(message)
      append(message, flow, bytes).items.push({ flow, bytes, done })
      // What comes next is answered after this one.
      flow.parcel = undefined
    },
    keepParcelled(message, flow, packetId) {
      const bytes = weigh(message)
      const group = append(message, flow, bytes)
      let { parcel } = flow
      if (parcel?.group !== group) {
        parcel = { group, flow, packetIds: [], messages: 0, bytes: 0 }
        flow.parcel = parcel
        group.items.push(parcel)
      }
      if (packetId > 0) parcel.packetIds.push(packetId)
      parcel.messages++
      parcel.bytes += bytes
    },
    mayRead(flow) {
      const may = mayRead(flow)
      if (!may) held.add(flow)
      return may
    },
    drained: () =>
      inFlightMessages === 0 ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve)),
  }
}

function weigh({ payload }: JournalMessage): number {
  return payload.byteLength + MESSAGE_OVERHEAD_BYTES
}
