import { MINUTE_MS, type Clock } from '@pulso/model'

/** Times further ahead than this were given by a clock that was wrong: then the clock is followed, not they. */
const MAX_AHEAD_MS = 10 * MINUTE_MS

const OPENING_BRACKET = 0x5b
const OPENING_BRACE = 0x7b
const WHITESPACE: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d])

/**
 * Gives messages receive times that are unique per topic, so that readings without a device time keep their identity:
 * also when many arrive in one millisecond, the system's clock is set back, or Pulso restarts.
 */
export interface ReceiveTimes {
  /**
   * The time of what is assigned next.
   * @param arrivedAtMs when it came, if that is a while ago; never before what was assigned last
   */
  begin(arrivedAtMs?: number): number
  /** The receive time of one message; a batch of n objects reserves n milliseconds from there on. */
  assign: (topicKey: string, payload: Uint8Array) => number
  /** The last millisecond given or reserved, to be remembered over a restart. */
  readonly untilMs: number
}

/** @param options.untilMs the last millisecond given before, 0 at first */
export function createReceiveTimes(options: { clock: Clock; untilMs: number }): ReceiveTimes {
  const { clock } = options
  /** Only what is still ahead of now, so it holds little more than the topics of the last group. */
  const nextByTopic = new Map<string, number>()
  let untilMs = options.untilMs
  let nowMs = options.untilMs + 1

  return {
    begin(arrivedAtMs = Infinity) {
      const clockMs = clock.now()
      if (nowMs > clockMs + MAX_AHEAD_MS) {
        nextByTopic.clear()
        untilMs = 0
        nowMs = clockMs
      }
      nowMs = Math.max(nowMs, Math.min(arrivedAtMs, clockMs))
      for (const [topicKey, nextMs] of nextByTopic) if (nextMs <= nowMs) nextByTopic.delete(topicKey)
      return nowMs
    },
    assign(topicKey, payload) {
      const startMs = Math.max(nowMs, nextByTopic.get(topicKey) ?? 0)
      const nextMs = startMs + countObjects(payload)
      nextByTopic.set(topicKey, nextMs)
      if (nextMs <= nowMs + MAX_AHEAD_MS) untilMs = Math.max(untilMs, nextMs - 1)
      return startMs
    },
    get untilMs() {
      return untilMs
    },
  }
}

/** At least as many objects as a payload can hold; 1 for anything but a JSON array. */
function countObjects(payload: Uint8Array): number {
  let start = 0
  while (WHITESPACE.has(payload[start] ?? 0)) start++
  if (payload[start] !== OPENING_BRACKET) return 1
  let count = 0
  for (const byte of payload) if (byte === OPENING_BRACE) count++
  return Math.max(1, count)
}
