/** Every bound of the front door. Meeting one is counted in the metrics and, where it refuses someone, logged. */
export interface BrokerLimits {
  /** The largest payload of one message. */
  payloadBytes: number
  /** The largest packet before the client is known: a CONNECT with its will. */
  connectBytes: number
  /** Open sockets at once, known or not. */
  connections: number
  /** The longest client id. */
  clientIdLength: number
  /** Packets that a client may send before its CONNACK; they wait. */
  packetsBeforeConnack: number
  /** A socket that has not sent its CONNECT by then is closed. */
  connectTimeoutMs: number
  /** A client silent for one and a half of this is closed, even when it asked for longer or for ever. */
  keepaliveSeconds: number
  /** A client that does not read what it is sent is closed after this. */
  drainTimeoutMs: number
  /** Commands that one connection may subscribe to. */
  subscriptions: number
  /** QoS 2 messages of one client between PUBLISH and PUBREL. */
  qos2InFlight: number
  /** Absent clients whose open QoS 2 messages are remembered; beyond it the longest unseen is forgotten. */
  qos2Sessions: number
  /** Bytes of one connection handed to the journal and not yet kept; beyond it the connection is not read. */
  connectionInFlightBytes: number
  /** The same over all connections. */
  inFlightBytes: number
  /** Stopping takes no longer: what the journal has not kept by then is not acknowledged, so it is sent again. */
  stopMs: number
}

export const DEFAULT_BROKER_LIMITS: Readonly<BrokerLimits> = {
  payloadBytes: 65_536,
  connectBytes: 1_024,
  connections: 20_000,
  clientIdLength: 256,
  packetsBeforeConnack: 42,
  connectTimeoutMs: 10_000,
  keepaliveSeconds: 3_600,
  drainTimeoutMs: 30_000,
  subscriptions: 10_000,
  qos2InFlight: 100,
  qos2Sessions: 10_000,
  connectionInFlightBytes: 1_048_576,
  inFlightBytes: 67_108_864,
  stopMs: 1_000,
}

/** What a PUBLISH carries beside its payload: the longest of our topics, lengths and the packet id, rounded up. */
export const PUBLISH_OVERHEAD_BYTES = 512

/** What a message weighs in memory beside its payload while it waits for the journal. */
export const MESSAGE_OVERHEAD_BYTES = 512
