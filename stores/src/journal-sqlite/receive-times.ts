import { MINUTE_MS, type Clock } from '@pulso/model'

/** Times further ahead than this were given by a clock that was wrong: then the clock is followed, not they. */
const MAX_AHEAD_MS = 10 * MINUTE_MS

const OPENING_BRACKET = 0x5b
const OPENING_BRACE = 0x7b
const WHITESPACE: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d])

/**
 * Gives messages receive times that are unique per sensor, so that readings without a device time keep their identity:
 * also when many arrive in one millisecond, the system's clock is set back, or Pulso restarts.
 */
export interface ReceiveTimes {
  /**
   * The time of what is assigned next.
   * @param arrivedAtMs when it came, if that is a while ago; never before what was assigned last
   */
  begin(arrivedAtMs?: number): number
  /** The receive time of one message; a batch of n objects reserves n milliseconds from there on. */
  assign: (topic: string, payload: Uint8Array) => number
  /** The last millisecond given or reserved, to be remembered over a restart. */
  readonly untilMs: number
}

/** @param options.untilMs the last millisecond given before, 0 at first */
export function createReceiveTimes(options: { clock: Clock; untilMs: number }): ReceiveTimes {
  const { clock } = options
  /** Only what is still ahead of now, so it holds little more than the topics of the last group. */
  const nextBySensor = new Map<string, number>()
  let untilMs = options.untilMs
  let nowMs = options.untilMs + 1

  return {
    begin(arrivedAtMs = Infinity) {
      const clockMs = clock.now()
      if (nowMs > clockMs + MAX_AHEAD_MS) {
        nextBySensor.clear()
        untilMs = 0
        nowMs = clockMs
      }
      nowMs = Math.max(nowMs, Math.min(arrivedAtMs, clockMs))
      for (const [sensorKey, nextMs] of nextBySensor) if (nextMs <= nowMs) nextBySensor.delete(sensorKey)
      return nowMs
    },
    assign(topic, payload) {
      const sensorKey = toSensorKey(topic)
      const startMs = Math.max(nowMs, nextBySensor.get(sensorKey) ?? 0)
      const nextMs = startMs + countObjects(payload)
      nextBySensor.set(sensorKey, nextMs)
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

/**
 * The sensor's id where the topic has one, in the third place (`pulso/{kind}/{sensor}/…`, `v1/devices/{sensor}/…`): a sensor
 * may speak on several. Any other topic as a whole.
 */
function toSensorKey(topic: string): string {
  if (!topic.startsWith('pulso/') && !topic.startsWith('v1/devices/')) return topic
  const start = topic.indexOf('/', topic.indexOf('/') + 1) + 1
  const end = topic.indexOf('/', start)
  return start > 0 && end > start ? topic.slice(start, end) : topic
}
