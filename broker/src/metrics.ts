import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

export interface BrokerMetrics {
  /** Counts kept messages. Called often, so it only adds to a number; the metrics are made when asked for. */
  accepted(qos: number, messages?: number): void
  refused(reason: string, messages?: number): void
  connectionRefused(reason: string): void
  /** A known client's connection was ended from here, though no message of it was refused. */
  connectionEnded(reason: string): void
  /** A connection begins to wait because its sender is over its rate. */
  heldBack(reason: string): void
  keptAfter(seconds: number): void
}

export interface BrokerGauges {
  /** With a known credential. */
  connections: () => number
  /** Without CONNACK. */
  halfOpen: () => number
}

export function createBrokerMetrics(registry: Registry, gauges: BrokerGauges): BrokerMetrics {
  const accepted = [0, 0, 0]
  const registers = [registry]
  new Counter({
    name: 'pulso_messages_accepted_total',
    help: 'Messages that are kept in the journal; those of QoS 1 and 2 are acknowledged after that.',
    labelNames: ['qos'],
    registers,
    collect() {
      this.reset()
      accepted.forEach((count, qos) => {
        this.inc({ qos }, count)
      })
    },
  })
  const refused = new Counter({
    name: 'pulso_messages_refused_total',
    help: 'Messages refused at the door, by reason.',
    labelNames: ['reason'],
    registers,
  })
  const connectionsRefused = new Counter({
    name: 'pulso_connections_refused_total',
    help: 'Connections refused, by reason.',
    labelNames: ['reason'],
    registers,
  })
  const ended = new Counter({
    name: 'pulso_connections_ended_total',
    help: 'Connections of known clients that the broker ended, by reason, those with a refused message left out.',
    labelNames: ['reason'],
    registers,
  })
  new Gauge({
    name: 'pulso_connections',
    help: 'MQTT connections with a known credential.',
    registers,
    collect() {
      this.set(gauges.connections())
    },
  })
  new Gauge({
    name: 'pulso_connections_half_open',
    help: 'Sockets at the MQTT ports that have no CONNACK yet.',
    registers,
    collect() {
      this.set(gauges.halfOpen())
    },
  })
  const heldBack = new Counter({
    name: 'pulso_held_back_total',
    help: 'Times that a connection was not read on because its sender was over its rate, by reason.',
    labelNames: ['reason'],
    registers,
  })
  const kept = new Histogram({
    name: 'pulso_publish_kept_seconds',
    help: 'From the first message of a group commit to its being on disk; one observation a commit.',
    buckets: [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5],
    registers,
  })
  return {
    accepted(qos, messages = 1) {
      accepted[qos] = (accepted[qos] ?? 0) + messages
    },
    refused: (reason, messages = 1) => refused.inc({ reason }, messages),
    connectionRefused: (reason) => connectionsRefused.inc({ reason }),
    connectionEnded: (reason) => ended.inc({ reason }),
    heldBack: (reason) => heldBack.inc({ reason }),
    keptAfter: (seconds) => kept.observe(seconds),
  }
}
