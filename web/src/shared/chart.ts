/** A number at a time; the parts of a line chart are computed from these, without drawing. */
export interface Point {
  timeMs: number
  value: number
}

/** A state that held for a while. */
export interface Band {
  state: string
  fromMs: number
  toMs: number
}

export interface Range {
  min: number
  max: number
}

/** A round axis around the values: three to five ticks, never a flat range. */
export function toAxis(values: readonly number[], bounds: Partial<Range> = {}): Range & { ticks: number[] } {
  const low = values.length > 0 ? Math.min(...values) : 0
  const high = values.length > 0 ? Math.max(...values) : 1
  const spread = high - low || Math.max(Math.abs(high) * 0.1, 1)
  const step = niceStep(spread / 3)
  const min = Math.max(Math.floor(low / step) * step, bounds.min ?? -Infinity)
  const max = Math.min(Math.ceil((high + (high === low ? spread : 0)) / step) * step, bounds.max ?? Infinity)
  const ticks: number[] = []
  for (let index = Math.ceil(min / step); index * step <= max + step / 1e6; index++) ticks.push(index * step)
  return { min, max: max > min ? max : min + step, ticks }
}

/**
 * SVG path of the points on a `width` × `height` field, broken where two points lie further apart than `maxGapMs`:
 * a line over a silence would claim what nobody measured.
 */
export function toLinePath(
  points: readonly Point[],
  field: { width: number; height: number; time: Range; value: Range; maxGapMs: number },
): string {
  let path = ''
  let previousMs = -Infinity
  for (const { timeMs, value } of points) {
    const x = scale(timeMs, field.time, field.width)
    const y = field.height - scale(value, field.value, field.height)
    path += `${timeMs - previousMs > field.maxGapMs ? 'M' : 'L'}${x.toFixed(1)} ${y.toFixed(1)}`
    previousMs = timeMs
  }
  return path
}

/** States as bands: each holds until the next one, but no longer than `holdsMs` after its last report. */
export function toBands(
  points: readonly { timeMs: number; state: string }[],
  { toMs, holdsMs }: { toMs: number; holdsMs: number },
): Band[] {
  const bands: Band[] = []
  points.forEach(({ timeMs, state }, index) => {
    const nextMs = points[index + 1]?.timeMs ?? toMs
    const endMs = Math.min(nextMs, timeMs + holdsMs, toMs)
    const last = bands.at(-1)
    if (last?.state === state && last.toMs >= timeMs) last.toMs = endMs
    else bands.push({ state, fromMs: timeMs, toMs: endMs })
  })
  return bands
}

/** Whole hours of the reader's day for the time axis, at most `count` of them. */
export function toTimeTicks({ min, max }: Range, count = 5): number[] {
  const stepMs = [1, 2, 3, 6, 12, 24]
    .map((hours) => hours * 3_600_000)
    .find((step) => (max - min) / step <= count)
  if (stepMs === undefined) return [min, max]
  const ticks: number[] = []
  for (let tick = Math.ceil(min / stepMs) * stepMs; tick <= max; tick += stepMs) ticks.push(tick)
  return ticks
}

/** At most `count` points that keep each slice's lowest and highest value: peaks stay visible. */
export function thinOut(points: readonly Point[], count: number): Point[] {
  if (points.length <= count) return [...points]
  const size = Math.ceil(points.length / (count / 2))
  const kept: Point[] = []
  for (let start = 0; start < points.length; start += size) {
    const slice = points.slice(start, start + size)
    const low = slice.reduce((best, point) => (point.value < best.value ? point : best))
    const high = slice.reduce((best, point) => (point.value > best.value ? point : best))
    kept.push(...(low.timeMs <= high.timeMs ? [low, high] : [high, low]).slice(0, low === high ? 1 : 2))
  }
  return kept
}

/** Where a value lies on an axis of the given length. */
export function scale(value: number, { min, max }: Range, length: number): number {
  return ((value - min) / (max - min || 1)) * length
}

function niceStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough))
  const factor = [1, 2, 2.5, 5, 10].find((one) => one * power >= rough - power / 1e6) ?? 10
  return factor * power
}
