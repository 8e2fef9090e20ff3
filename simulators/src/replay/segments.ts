import { WEEK_MS } from '@pulso/model'

/** A part of the recording that is played with one shift. */
export interface Segment {
  /** Recorded times: from included, to not. */
  fromMs: number
  toMs: number
  /** Added to the recorded times. */
  shiftMs: number
}

export interface RecordedSpan {
  firstMs: number
  /** Of the last row. */
  lastMs: number
}

/**
 * Brings a recording to now by whole weeks, so that weekday and UTC hour stay true. It is taken as a loop of whole weeks and
 * turned until now is at now: what would lie in the future goes in front of the rest instead, so that every row is played
 * once and the newest is of this minute.
 * @returns one or two segments, the older first
 */
export function planSegments({ firstMs, lastMs }: RecordedSpan, nowMs: number): Segment[] {
  const endMs = lastMs + 1
  const shiftMs = Math.floor((nowMs - lastMs) / WEEK_MS) * WEEK_MS
  // What was recorded up to here can go a week further without passing now.
  const cutMs = nowMs - shiftMs - WEEK_MS + 1
  if (cutMs <= firstMs) return [{ fromMs: firstMs, toMs: endMs, shiftMs }]
  const laterMs = shiftMs + WEEK_MS
  return [
    { fromMs: cutMs, toMs: endMs, shiftMs: laterMs - loopMs({ firstMs, lastMs }) },
    { fromMs: firstMs, toMs: cutMs, shiftMs: laterMs },
  ]
}

/** What comes after the planned segments, for ever: the loop goes on into the future. */
export function* followingSegments(span: RecordedSpan, segments: readonly Segment[]): Generator<Segment> {
  for (let turn = 1; ; turn++) {
    for (const segment of segments) yield { ...segment, shiftMs: segment.shiftMs + turn * loopMs(span) }
  }
}

function loopMs({ firstMs, lastMs }: RecordedSpan): number {
  return Math.ceil((lastMs - firstMs + 1) / WEEK_MS) * WEEK_MS
}
