import { SECOND_MS, type Clock } from '@pulso/model'
import type { JournalStatus } from '@pulso/stores'
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { Batch } from './batch.ts'
import type { ReadingsTally } from './identities.ts'
import { createRate } from './rates.ts'

/** Since the start of this process. */
export interface IngestStats {
  messagesPerSecond: number
  readingsPerSecond: number
  readingsStored: number
  readingsDuplicate: number
  readingsCorrected: number
  /** Entries put into quarantine: a message, or one metric of it. */
  messagesQuarantined: number
  metricsUnknown: number
}

export interface IngestMetrics {
  /** A batch is committed. */
  count(batch: Batch, tally: ReadingsTally): void
  stats(): IngestStats
}

export interface IngestMetricsOptions {
  registry: Registry
  journalStatus: () => Promise<JournalStatus>
  clock: Clock
}

export function createIngestMetrics({ registry, journalStatus, clock }: IngestMetricsOptions): IngestMetrics {
  const registers = [registry]
  const counter = (name: string, help: string): Counter => new Counter({ name, help, registers })
  const stored = counter('pulso_readings_stored_total', 'Readings that brought something new and are kept.')
  const duplicate = counter('pulso_readings_duplicate_total', 'Readings that brought nothing new.')
  const corrected = counter('pulso_readings_corrected_total', 'Readings that replaced a different value.')
  const unknown = counter('pulso_metrics_unknown_total', 'Metrics that their kind does not know.')
  const withoutMetric = counter(
    'pulso_messages_without_metric_total',
    'Uplinks that were understood and say nothing that a kind measures.',
  )
  const labelled = (name: string, help: string, label: string): Counter =>
    new Counter({ name, help, labelNames: [label], registers })
  const quarantined = labelled(
    'pulso_messages_quarantined_total',
    'Messages and metrics kept aside.',
    'reason',
  )
  const messages = labelled('pulso_ingest_messages_total', 'Messages taken from the journal.', 'channel')
  const delay = new Histogram({
    name: 'pulso_received_stored_seconds',
    help: "From receiving a batch's oldest message to the batch being committed; one observation a batch.",
    buckets: [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 60, 600, 3_600],
    registers,
  })
  createJournalGauges({ registry, journalStatus, clock })

  const totals = { stored: 0, duplicate: 0, corrected: 0, quarantined: 0, unknown: 0 }
  const messageRate = createRate(clock)
  const readingRate = createRate(clock)
  return {
    count(batch, tally) {
      stored.inc(tally.stored)
      duplicate.inc(tally.duplicate)
      corrected.inc(tally.corrected)
      unknown.inc(batch.unknownMetrics)
      withoutMetric.inc(batch.withoutMetric)
      for (const [channel, count] of Object.entries(batch.channels)) messages.inc({ channel }, count)
      // What a replay brought back has been counted when it was refused for the first time.
      const refused = batch.quarantine.filter(({ isReturned }) => !isReturned)
      for (const { reason } of refused) quarantined.inc({ reason })
      delay.observe(Math.max(0, clock.now() - batch.oldestReceivedAtMs) / SECOND_MS)
      totals.stored += tally.stored
      totals.duplicate += tally.duplicate
      totals.corrected += tally.corrected
      totals.quarantined += refused.length
      totals.unknown += batch.unknownMetrics
      messageRate.add(batch.messages)
      readingRate.add(tally.stored + tally.corrected)
    },
    stats: () => ({
      messagesPerSecond: messageRate.perSecond(),
      readingsPerSecond: readingRate.perSecond(),
      readingsStored: totals.stored,
      readingsDuplicate: totals.duplicate,
      readingsCorrected: totals.corrected,
      messagesQuarantined: totals.quarantined,
      metricsUnknown: totals.unknown,
    }),
  }
}

/** Asked for when someone reads the metrics. A journal that does not answer leaves the last known values. */
function createJournalGauges({ registry, journalStatus, clock }: IngestMetricsOptions): void {
  const unanswered = new Counter({
    name: 'pulso_journal_unanswered_total',
    help: 'Times that the journal did not answer: its other metrics are the last known ones.',
    registers: [registry],
  })
  // They are read at the same time: one question serves them all.
  let asked: Promise<JournalStatus | undefined> | undefined
  const ask = (): Promise<JournalStatus | undefined> => {
    asked ??= journalStatus()
      .catch(() => {
        unanswered.inc()
        return undefined
      })
      .finally(() => (asked = undefined))
    return asked
  }
  const gauge = (name: string, help: string, read: (status: JournalStatus) => number): Gauge =>
    new Gauge({
      name,
      help,
      registers: [registry],
      async collect() {
        const status = await ask()
        if (status) this.set(read(status))
      },
    })
  gauge('pulso_journal_depth', 'Messages kept and not yet committed to readings.', ({ depth }) => depth)
  gauge('pulso_journal_bytes', 'What these messages take on disk.', ({ bytes }) => bytes)
  gauge('pulso_journal_max_bytes', 'What they may take; beyond it senders wait.', ({ maxBytes }) => maxBytes)
  gauge(
    'pulso_journal_full',
    '1 while the journal takes no messages (its bound, too little free disk) and senders wait.',
    ({ full }) => (full === null ? 0 : 1),
  )
  gauge(
    'pulso_journal_oldest_age_seconds',
    'How long the oldest of these messages has been waiting; 0 without any.',
    ({ oldestReceivedAtMs }) =>
      oldestReceivedAtMs === null ? 0 : (clock.now() - oldestReceivedAtMs) / SECOND_MS,
  )
}
