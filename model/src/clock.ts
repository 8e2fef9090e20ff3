/** The time, as something that is passed in: tests bring their own. */
export interface Clock {
  /** Now, in milliseconds since 1970-01-01T00:00:00Z. */
  now(): number
}

/** How far a device's time may lie from the time we received it. */
export interface ClockLimits {
  pastMs: number
  futureMs: number
}

export const systemClock: Clock = { now: () => Date.now() }
