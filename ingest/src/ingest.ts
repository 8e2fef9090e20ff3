import { setTimeout as sleep } from 'node:timers/promises'
import {
  toAppError,
  type AppError,
  type Clock,
  type ClockLimits,
  type Kinds,
  type Sensor,
  type SensorState,
} from '@pulso/model'
import type {
  IngestState,
  JournalReader,
  JournalStatus,
  KeptMessage,
  Readings,
  Registry,
} from '@pulso/stores'
import type { Logger } from 'pino'
import type { Registry as MetricsRegistry } from 'prom-client'
import { createAcknowledger } from './acknowledge.ts'
import { createBatch, type Batch } from './batch.ts'
import type { Codecs } from './codec.ts'
import { createBooks, type Books } from './books.ts'
import { storeReadings } from './commit.ts'
import { DEFAULT_INGEST_LIMITS, type IngestLimits } from './limits.ts'
import { loadMemory, type Memory } from './memory.ts'
import { createIngestMetrics, type IngestStats } from './metrics.ts'
import { createReadAhead, pause, readNext } from './read-ahead.ts'
import { createRetry } from './retry.ts'
import type { RollupWatch } from './rollup/roller.ts'

export interface IngestOptions {
  journal: JournalReader
  readings: Readings
  registry: Registry
  /** What the registry holds, where somebody began to read it before the start. */
  memory?: Promise<Memory>
  kinds: Kinds
  /** For sensors that speak through a LoRaWAN network; see `loadCodecs`. */
  codecs: Codecs
  /** Whoever keeps aggregates of the readings. */
  rollups?: RollupWatch
  clock: Clock
  clockLimits: ClockLimits
  logger: Logger
  metrics: MetricsRegistry
  /** Sensors whose state changed, after it is committed. */
  onStates(states: SensorState[]): void
  /** Sensors that became known or were changed in the registry, before states that need them. */
  onSensors?(sensors: Sensor[]): void
  /** 0 ≤ x < 1 */
  random?: () => number
  /** What differs from `DEFAULT_INGEST_LIMITS`. */
  limits?: Partial<IngestLimits>
}

export interface IngestStatus {
  /** `retrying`: a store fails, nothing is lost, the journal grows. */
  state: 'starting' | 'running' | 'retrying' | 'stopped'
  /** Why it tries again. */
  error: { code: string; message: string } | null
  /** The journal's position of the last committed batch. */
  position: number
}

/** What one life of the loop goes by. */
interface Run {
  memory: Memory
  books: Books
  /** Up to here the readings are stored already, and only the registry is behind. */
  repeatedUntil: number
}

interface Prepared {
  batch: Batch
  /** Its readings are stored already. */
  isRepeated: boolean
}

const NOTHING_STORED = { stored: 0, duplicate: 0, corrected: 0 }

export interface Ingest {
  /** Resolves when it runs or has failed for the first time; it goes on trying by itself. */
  start(): Promise<void>
  /** Ends after the batch under way; waiting for a store that fails is cut short. What is left comes again. */
  stop(): Promise<void>
  stats(): IngestStats
  /** The journal as ingest sees it: what is in the readings no longer counts as waiting. */
  journalStatus(): Promise<JournalStatus>
  status(): IngestStatus
}

/** Beside what is tried again, in what does not go well. */
const ACKNOWLEDGE = 'acknowledge the journal'

/** Takes what the journal keeps, in order, and makes readings, states and quarantine entries of it, each once. */
export function createIngest(options: IngestOptions): Ingest {
  const { journal, readings, registry, kinds, codecs, rollups, clock, logger } = options
  const limits = { ...DEFAULT_INGEST_LIMITS, ...options.limits }
  const journalStatus = async (): Promise<JournalStatus> => {
    const status = await journal.status()
    const depth = Math.max(0, status.depth - (position - settledPosition))
    return { ...status, depth, oldestReceivedAtMs: depth === 0 ? null : status.oldestReceivedAtMs }
  }
  const metrics = createIngestMetrics({ registry: options.metrics, journalStatus, clock })
  const stopping = new AbortController()
  const isStopping = (): boolean => stopping.signal.aborted
  const started = Promise.withResolvers<undefined>()
  /** What does not go well at the moment, by what is being done. */
  const failing = new Map<string, AppError>()
  let state: 'starting' | 'running' | 'stopped' = 'starting'
  let position = 0
  let settledPosition = 0
  let running: Promise<void> | undefined
  let earlyMemory = options.memory

  const retry = createRetry({
    signal: stopping.signal,
    random: options.random ?? Math.random,
    firstMs: limits.retryFirstMs,
    longestMs: limits.retryLongestMs,
    onFailure({ doing, attempt, delayMs, error }) {
      failing.set(doing, error)
      started.resolve(undefined)
      const level = error.retryable ? 'warn' : 'error'
      logger[level]({ err: error, doing, attempt, delayMs }, 'Ingest tries again')
    },
    onRecovery(doing) {
      failing.delete(doing)
      logger.info({ doing }, 'Ingest goes on')
    },
  })
  const acknowledger = createAcknowledger({
    journal,
    onFailure(error) {
      failing.set(ACKNOWLEDGE, error)
      logger.warn({ err: error }, 'The journal cannot forget what is stored')
    },
    onRecovery() {
      failing.delete(ACKNOWLEDGE)
      logger.info('The journal forgets again what is stored')
    },
  })

  const tell = <T>(listener: ((changes: T[]) => void) | undefined, changes: readonly T[]): void => {
    if (!listener || changes.length === 0) return
    try {
      listener([...changes])
    } catch (error) {
      logger.error({ err: error }, 'A listener of ingest failed')
    }
  }

  /** Keeps what is left to keep of everything up to now, so that the journal may forget it. */
  const settle = async (books: Books): Promise<void> => {
    settledPosition = await books.settle()
    await acknowledger.upTo(settledPosition)
  }

  /** Works out the next batch, as if those before it were kept: none is ever given up, so they will be. */
  const prepare = ({ memory, repeatedUntil }: Run, messages: readonly KeptMessage[]): Prepared => {
    const isRepeated = (messages[0]?.position ?? 0) <= repeatedUntil
    // A batch is either wholly in the readings store or not at all.
    const alike = isRepeated ? messages.filter(({ position }) => position <= repeatedUntil) : messages
    const context = { kinds, codecs, memory, clockLimits: options.clockLimits, limits }
    const batch = createBatch(alike, context, (error, { topic, position }) =>
      logger.error({ err: error, topic, position }, 'A message could not be worked on'),
    )
    memory.commit(batch.newSensors, batch.states)
    return { batch, isRepeated }
  }

  const keep = async ({ books, memory }: Run, { batch, isRepeated }: Prepared): Promise<void> => {
    const tally = isRepeated ? NOTHING_STORED : await storeReadings(batch, { readings, retry })
    position = batch.position
    metrics.count(batch, tally)
    rollups?.know(batch.newSensors)
    rollups?.take(batch, memory.sensors)
    books.add(batch)
    if (books.isDue()) await settle(books)
    tell(options.onSensors, batch.newSensors)
    tell(options.onStates, batch.states.map(toSensorState))
  }

  let lastRead = { atMs: -Infinity, count: 0 }
  const readAfter = async (after: number): Promise<KeptMessage[]> => {
    await pause(lastRead, { limits, signal: stopping.signal })
    const messages = await retry('read the journal', () =>
      readNext(journal, { after, limits, signal: stopping.signal }),
    )
    lastRead = { atMs: performance.now(), count: messages.length }
    return messages
  }

  /** Once: a second life of the loop begins from what is committed. */
  const takeEarlyMemory = (): Promise<Memory> | undefined => {
    const memory = earlyMemory
    earlyMemory = undefined
    return memory
  }

  /** From the last commit on, until it is stopped or something unforeseen happens. */
  const run = async (): Promise<void> => {
    const memory = await (takeEarlyMemory() ?? loadMemory(registry))
    rollups?.know(memory.sensors.values())
    const repeatedUntil = await readings.position()
    position = await registry.ingestPosition()
    settledPosition = position
    const books = createBooks(position, {
      registry,
      retry,
      limits,
      monotonicMs: () => performance.now(),
      rollups,
    })
    const current: Run = { memory, books, repeatedUntil }
    state = 'running'
    failing.clear()
    if (position > 0) await acknowledger.upTo(position)
    started.resolve(undefined)
    logger.info({ position, repeatedUntil, sensors: memory.sensors.size }, 'Ingest runs')
    let preparedUntil = position
    let keeping = Promise.resolve()
    let ahead = createReadAhead(readAfter(position))
    try {
      while (!isStopping()) {
        let messages = await ahead.messages
        // The next ones are read while these are worked on.
        ahead = createReadAhead(readAfter(messages.at(-1)?.position ?? preparedUntil))
        await acknowledger.catchUp()
        const changed = await retry('look for new sensors', () => memory.refresh())
        rollups?.know(changed)
        tell(options.onSensors, changed)
        while (messages.length > 0 && !isStopping()) {
          const prepared = prepare(current, messages)
          preparedUntil = prepared.batch.position
          messages = messages.slice(prepared.batch.messages)
          await keeping
          // One batch is being kept while the next is worked out.
          keeping = keep(current, prepared)
          keeping.catch(() => undefined)
        }
        if (ahead.isThere()) continue
        await keeping
        await settle(books)
      }
    } finally {
      // The loop may begin anew, and must not do so beside a batch that is still being kept.
      await keeping.catch(() => undefined)
    }
    await keeping
    await settle(books)
  }

  return {
    async start() {
      // Should the loop itself fail, it begins anew from what is committed, as after a crash.
      running ??= retry('run', run)
        .catch((error: unknown) => {
          if (toAppError(error).code !== 'stopped') logger.fatal({ err: error }, 'Ingest ended')
        })
        .finally(() => started.resolve(undefined))
      await started.promise
    },
    async stop() {
      stopping.abort()
      await Promise.race([running, sleep(limits.stopMs, undefined, { ref: false })])
      state = 'stopped'
    },
    stats: () => metrics.stats(),
    journalStatus,
    status() {
      const [error] = failing.values()
      return {
        state: error && state !== 'stopped' ? 'retrying' : state,
        error: error ? { code: error.code, message: error.message } : null,
        position,
      }
    },
  }
}

/** Without ingest's own memory, which nobody else needs to be sent. */
function toSensorState(state: IngestState): SensorState {
  const { sensorId, kind, timeMs, receivedAtMs, values, hourly, presence } = state
  return { sensorId, kind, timeMs, receivedAtMs, values, hourly, presence }
}
