/** A line of the last few minutes, collected in the page: what the box said at each tick, and nothing where it said nothing. */
export interface Series {
  /** Oldest first; null where there was no answer, so that a gap is drawn as a gap. */
  readonly values: readonly (number | null)[]
}

export const EMPTY_SERIES: Series = { values: [] }

/** The series with one more value, bounded to the newest `length`. */
export function append(series: Series, value: number | null, length: number): Series {
  return { values: [...series.values, value].slice(-length) }
}

export interface SparklineShape {
  /** One SVG path per unbroken stretch, in a box of `width` by `height`. */
  line: string
  /** The same stretches closed down to the ground, for a tint below the line. */
  area: string
  /** Where the newest value stands, or null when the newest is a gap. */
  tip: { x: number; y: number } | null
}

export interface SparklineOptions {
  width: number
  height: number
  /** How many values fill the width; fewer are drawn at the right end, as time goes. */
  length: number
  /** The scale reaches at least this far, so that the noise of an idle box does not look like a storm. */
  atLeast: number
}

/** Room for the tip's dot above the highest value. */
const TOP_INSET = 3

/** Lays a series out for drawing, from zero up. */
export function toSparkline(series: Series, options: SparklineOptions): SparklineShape {
  const { width, height, length, atLeast } = options
  const top = Math.max(atLeast, ...series.values.map((value) => value ?? 0))
  const stepX = width / Math.max(1, length - 1)
  const startX = width - (series.values.length - 1) * stepX
  const toY = (value: number) => round(height - 1 - (value / top) * (height - 1 - TOP_INSET))

  const stretches: { x: number; y: number }[][] = []
  let open: { x: number; y: number }[] | null = null
  series.values.forEach((value, index) => {
    if (value === null) {
      open = null
      return
    }
    if (!open) stretches.push((open = []))
    open.push({ x: round(startX + index * stepX), y: toY(value) })
  })
  const newest = series.values.at(-1)
  return {
    line: stretches.map(toLine).join(''),
    area: stretches.map((points) => toArea(points, height)).join(''),
    tip: newest === null || newest === undefined ? null : { x: width, y: toY(newest) },
  }
}

function toLine(points: readonly { x: number; y: number }[]): string {
  return points.map(({ x, y }, index) => `${index === 0 ? 'M' : 'L'}${x} ${y}`).join('')
}

function toArea(points: readonly { x: number; y: number }[], height: number): string {
  const [first, last] = [points[0], points.at(-1)]
  if (!first || !last) return ''
  return `${toLine(points)}L${last.x} ${height}L${first.x} ${height}Z`
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
