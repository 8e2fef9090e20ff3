import { performance } from 'node:perf_hooks'
import { toAppError, type AppError } from '@pulso/model'
import type { JournalMessage, JournalWriter } from '@pulso/stores'
import { MESSAGE_OVERHEAD_BYTES, type BrokerLimits } from './limits.ts'

/** One sender's share of what is in flight. */
export interface Flow {
  inFlightBytes: number
  /** Reads on after `mayRead` has said no. */
  resume(): void
}

export interface Intake {
  /** Hands a message to the journal; `done` is called once it is kept or could not be. */
  keep(message: JournalMessage, flow: Flow, done: (error?: AppError) => void): void
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
  entries: Entry[]
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
    for (const { flow, bytes } of group.entries) {
      flow.inFlightBytes -= bytes
      inFlightBytes -= bytes
    }
    inFlightMessages -= group.entries.length
    const seconds = (performance.now() - group.startedAtMs) / 1_000
    onCommit({ messages: group.entries.length, seconds, ...(error && { error }) })
    for (const { done } of group.entries) done(error)
    for (const flow of held) {
      if (!mayRead(flow)) continue
      held.delete(flow)
      flow.resume()
    }
    if (inFlightMessages === 0) for (const resolve of waiting.splice(0)) resolve()
  }

  return {
    keep(message, flow, done) {
      const kept = journal.append(message)
      if (latest?.kept !== kept) {
        const group: Group = { startedAtMs: performance.now(), entries: [] }
        latest = { kept, group }
        kept.then(
          () => settle(group),
          (thrown: unknown) => settle(group, toAppError(thrown, 'journal-failed')),
        )
      }
      const bytes = message.payload.byteLength + MESSAGE_OVERHEAD_BYTES
      latest.group.entries.push({ flow, bytes, done })
      flow.inFlightBytes += bytes
      inFlightBytes += bytes
      inFlightMessages++
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
