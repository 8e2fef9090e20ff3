/** Every bound of the front door. Meeting one is counted in the metrics and, where it refuses someone, logged. */
export interface BrokerLimits {
  /** The largest payload of one message. */
  payloadBytes: number
  /** The largest packet before the client is known: a CONNECT with its will. */
  connectBytes: number
  /** Open sockets at once, known or not. */
  connections: number
  /** The same from one address; 0 for no bound. This and the next two leave out addresses that are exempt. */
  connectionsPerAddress: number
  /** New sockets a second from one address; 0 for no bound. */
  connectsPerSecondPerAddress: number
  /** Sockets of one address without CONNACK; 0 for no bound. */
  halfOpenPerAddress: number
  /** New sockets a second in all; 0 for no bound. */
  connectsPerSecond: number
  /** Sockets without CONNACK in all; beyond it the oldest of them is closed. */
  halfOpen: number
  /** A socket that has no CONNACK by then is closed: TLS, WebSocket and CONNECT together. */
  connectTimeoutMs: number
  /** Messages of one sensor over all its connections; 0 for no bound. */
  messagesPerSecond: number
  /** Bytes of one sensor over all its connections; 0 for no bound. */
  bytesPerSecond: number
  /** The same two of one gateway. */
  gatewayMessagesPerSecond: number
  gatewayBytesPerSecond: number
  /** A connection that has been kept waiting by its rate for so long without a break is closed. */
  overRateMs: number
  /** The longest client id. */
  clientIdLength: number
  /** The longest topic or filter, in UTF-8. */
  topicBytes: number
  /** Levels of a topic or filter. */
  topicLevels: number
  /** A client silent for one and a half of this is closed, even when it asked for longer or for ever. */
  keepaliveMs: number
  /** A client that does not read what it is sent is closed after this. */
  drainTimeoutMs: number
  /** Answers that wait for a client to read them; beyond it the connection is not read. */
  unreadBytes: number
  /** Commands that one connection may subscribe to. */
  subscriptions: number
  /** QoS 2 messages of one client between PUBLISH and PUBREL. */
  qos2InFlight: number
  /** Absent clients whose open QoS 2 messages are remembered; beyond it the longest unseen is forgotten. */
  qos2Sessions: number
  /** Absent senders whose rate is remembered for `BURST_SECONDS`; beyond it the longest absent is forgotten. */
  rememberedSenders: number
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
  connectionsPerAddress: 1_000,
  connectsPerSecondPerAddress: 50,
  halfOpenPerAddress: 100,
  connectsPerSecond: 2_000,
  halfOpen: 5_000,
  connectTimeoutMs: 10_000,
  messagesPerSecond: 100,
  bytesPerSecond: 1_048_576,
  gatewayMessagesPerSecond: 0,
  gatewayBytesPerSecond: 0,
  overRateMs: 60_000,
  clientIdLength: 256,
  topicBytes: 256,
  topicLevels: 8,
  keepaliveMs: 3_600_000,
  drainTimeoutMs: 30_000,
  unreadBytes: 262_144,
  subscriptions: 10_000,
  qos2InFlight: 100,
  qos2Sessions: 10_000,
  rememberedSenders: 100_000,
  connectionInFlightBytes: 1_048_576,
  inFlightBytes: 67_108_864,
  stopMs: 1_000,
}

/** A rate may be exceeded by what it gives in this time: a device that was away sends what it has collected. */
export const BURST_SECONDS = 10

/** What a PUBLISH carries beside its topic and payload: lengths and the packet id, rounded up. */
export const PUBLISH_OVERHEAD_BYTES = 16

/** What a message weighs in memory beside its payload while it waits for the journal. */
export const MESSAGE_OVERHEAD_BYTES = 512

/** The largest packet of a known client. */
export function largestPacketBytes({ payloadBytes, topicBytes }: BrokerLimits): number {
  return payloadBytes + topicBytes + PUBLISH_OVERHEAD_BYTES
}
