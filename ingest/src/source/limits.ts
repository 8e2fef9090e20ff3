/** Every bound of a source. Meeting one is counted, logged or answered by not reading on. */
export interface SourceLimits {
  /** The largest payload that is kept whole. */
  payloadBytes: number
  /** The longest topic that is kept whole. */
  topicLength: number
  /** How much of a payload above the bound is kept, so that quarantine can show what it was. */
  cutPayloadBytes: number
  /** Handed to the journal and not yet kept; beyond it the socket is not read. */
  inFlightBytes: number
  /** Acknowledgements that the broker has not taken yet; beyond it the socket is not read. */
  unsentBytes: number
  /** Topics whose newest message is remembered, to tell a retained repetition from something new. */
  rememberedTopics: number
  /** From the first packet of TCP to the CONNACK. */
  connectMs: number
  /** For SUBACK, UNSUBACK and PINGRESP. */
  answerMs: number
  keepaliveMs: number
  /** How often the broker is asked whether it has taken our acknowledgements, while there are any. */
  confirmMs: number
  /** What a broker has not delivered again by then, after a connection, it had no need to. */
  redeliveryMs: number
  /** How often topics that the broker refused are asked for again. */
  refusedTopicsMs: number
  /** The first wait after a connection was lost, and the longest; in between it doubles. */
  retryFirstMs: number
  retryLongestMs: number
  /** A connection that held this long makes the waits begin anew. */
  stableMs: number
  /** Stopping does not wait longer for the journal. */
  stopMs: number
}

export const DEFAULT_SOURCE_LIMITS: Readonly<SourceLimits> = {
  payloadBytes: 65_536,
  topicLength: 512,
  cutPayloadBytes: 1_024,
  inFlightBytes: 16_777_216,
  unsentBytes: 1_048_576,
  rememberedTopics: 100_000,
  connectMs: 15_000,
  answerMs: 20_000,
  keepaliveMs: 60_000,
  confirmMs: 250,
  redeliveryMs: 60_000,
  refusedTopicsMs: 60_000,
  retryFirstMs: 500,
  retryLongestMs: 30_000,
  stableMs: 30_000,
  stopMs: 1_000,
}

/** What a message weighs in memory beside its payload while it waits for the journal. */
export const MESSAGE_OVERHEAD_BYTES = 512
