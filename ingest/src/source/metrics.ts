import { Counter, Gauge, type Registry } from 'prom-client'

/** The metrics of all sources of a process, each with its name as `source`. */
export interface SourceMetrics {
  forSource(name: string): OneSourceMetrics
}

export interface OneSourceMetrics {
  /** Since the start of this process. */
  readonly messages: number
  kept(count: number): void
  /** Delivered again, or retained and known: acknowledged without being kept twice. */
  repeated(): void
  refused(reason: string): void
  reconnected(): void
  sessionLost(): void
  /** Asked for when somebody reads the metrics. */
  watch(read: () => SourceGauges): void
}

export interface SourceGauges {
  isConnected: boolean
  inFlight: number
  topicsRefused: number
}

export function createSourceMetrics(registry: Registry): SourceMetrics {
  const registers = [registry]
  const sources = new Map<string, { kept: number; repeated: number; read?: () => SourceGauges }>()
  const totals = { labelNames: ['source'], registers }
  new Counter({
    ...totals,
    name: 'pulso_source_messages_total',
    help: 'Messages of an external broker that are kept in the journal.',
    collect() {
      this.reset()
      for (const [source, { kept }] of sources) this.inc({ source }, kept)
    },
  })
  new Counter({
    ...totals,
    name: 'pulso_source_repeated_total',
    help: 'Messages of an external broker that came again and were not kept a second time.',
    collect() {
      this.reset()
      for (const [source, { repeated }] of sources) this.inc({ source }, repeated)
    },
  })
  const refused = new Counter({
    name: 'pulso_source_refused_total',
    help: 'Messages of an external broker that could not be kept as they are, by reason.',
    labelNames: ['source', 'reason'],
    registers,
  })
  const reconnects = new Counter({
    ...totals,
    name: 'pulso_source_reconnects_total',
    help: 'Attempts to connect after the first.',
  })
  const sessionsLost = new Counter({
    ...totals,
    name: 'pulso_source_sessions_lost_total',
    help: 'Times an external broker had forgotten our session, and with it what it held for us.',
  })
  const gauge = (name: string, help: string, read: (gauges: SourceGauges) => number): Gauge =>
    new Gauge({
      ...totals,
      name,
      help,
      collect() {
        for (const [source, { read: ask }] of sources) if (ask) this.set({ source }, read(ask()))
      },
    })
  gauge('pulso_source_connected', '1 while a source is connected.', ({ isConnected }) => Number(isConnected))
  gauge('pulso_source_in_flight', 'Messages handed to the journal and not yet kept.', (all) => all.inFlight)
  gauge('pulso_source_topics_refused', 'Topics that the broker refuses.', (all) => all.topicsRefused)

  return {
    forSource(source) {
      const own: { kept: number; repeated: number; read?: () => SourceGauges } = { kept: 0, repeated: 0 }
      sources.set(source, own)
      reconnects.inc({ source }, 0)
      sessionsLost.inc({ source }, 0)
      return {
        get messages() {
          return own.kept
        },
        kept(count) {
          own.kept += count
        },
        repeated() {
          own.repeated++
        },
        refused: (reason) => refused.inc({ source, reason }),
        reconnected: () => reconnects.inc({ source }),
        sessionLost: () => sessionsLost.inc({ source }),
        watch(read) {
          own.read = read
        },
      }
    },
  }
}
