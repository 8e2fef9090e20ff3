import type { QuarantineCounts, QuarantineRegistry } from '@pulso/stores'
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

export interface ApiMetrics {
  httpDurationSeconds: Histogram<'method' | 'route' | 'status'>
  liveClients: Gauge
  liveDropped: Counter<'reason'>
  liveDeltas: Counter
  liveCoalesced: Counter
  liveUnsentBytes: Gauge
  statesDropped: Counter
  loginFailures: Counter<'reason'>
}

/** The API's own metrics. Labels come from route patterns and fixed words, never from what a client sent. */
export function createApiMetrics(registry: Registry): ApiMetrics {
  const registers = [registry]
  return {
    httpDurationSeconds: new Histogram({
      name: 'pulso_http_request_duration_seconds',
      help: 'Time from request to the end of the answer, without live feeds',
      labelNames: ['method', 'route', 'status'],
      buckets: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
      registers,
    }),
    liveClients: new Gauge({ name: 'pulso_live_clients', help: 'Readers of the live feed now', registers }),
    liveDropped: new Counter({
      name: 'pulso_live_clients_dropped_total',
      help: 'Readers of the live feed refused or let go, by reason',
      labelNames: ['reason'],
      registers,
    }),
    liveDeltas: new Counter({
      name: 'pulso_live_deltas_total',
      help: 'Deltas written to readers of the live feed, each counted once per reader',
      registers,
    }),
    liveCoalesced: new Counter({
      name: 'pulso_live_coalesced_total',
      help: 'Deltas not written because the reader had not taken the one before: it gets their last states together',
      registers,
    }),
    liveUnsentBytes: new Gauge({
      name: 'pulso_live_unsent_bytes',
      help: 'Memory held by what readers of the live feed have not taken yet',
      registers,
    }),
    statesDropped: new Counter({
      name: 'pulso_api_states_dropped_total',
      help: 'States of sensors that the registry had not named yet, beyond the room to wait',
      registers,
    }),
    loginFailures: new Counter({
      name: 'pulso_login_failures_total',
      help: 'Operators’ logins refused, by reason',
      labelNames: ['reason'],
      registers,
    }),
  }
}

/** Asked for when someone reads the metrics: the registry counts, so that a restart takes nothing away. */
export function observeQuarantine(registry: Registry, quarantine: QuarantineRegistry): void {
  // The three are read at the same time: one question serves them all.
  let asked: Promise<QuarantineCounts | undefined> | undefined
  const ask = (): Promise<QuarantineCounts | undefined> => {
    asked ??= quarantine
      .countQuarantine()
      // A registry that does not answer leaves the last known values.
      .catch(() => undefined)
      .finally(() => (asked = undefined))
    return asked
  }
  const registers = [registry]
  const counter = (name: string, help: string, read: (counts: QuarantineCounts) => number): Counter =>
    new Counter({
      name,
      help,
      registers,
      async collect() {
        const counts = await ask()
        if (!counts) return
        this.reset()
        this.inc(read(counts))
      },
    })
  new Gauge({
    name: 'pulso_quarantine_entries',
    help: 'Messages and metrics kept aside now',
    registers,
    async collect() {
      const counts = await ask()
      if (counts) this.set(counts.entries)
    },
  })
  counter(
    'pulso_quarantine_dropped_total',
    'Entries dropped because the quarantine, or their share of it, was full; their totals count on',
    ({ dropped }) => dropped,
  )
  counter(
    'pulso_quarantine_returned_total',
    'Entries that were replayed and refused again',
    ({ returned }) => returned,
  )
}
