import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

export interface ApiMetrics {
  httpDurationSeconds: Histogram<'method' | 'route' | 'status'>
  liveClients: Gauge
  liveDropped: Counter<'reason'>
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
