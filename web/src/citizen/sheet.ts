/** How far the sheet is open, as heights in pixels, lowest first. */
export type SheetHeights = readonly [peek: number, half: number, full: number]
export type SheetLevel = 0 | 1 | 2

/** A flick faster than this goes on to the next level, however short. */
const FLICK_PX_PER_MS = 0.5

/** Three heights for a window: the summary, half of it, and all but the header. */
export function toSheetHeights(windowPx: number, remPx: number): SheetHeights {
  const full = Math.max(windowPx - 4.5 * remPx, 160)
  const peek = Math.min(13.75 * remPx, full)
  return [peek, Math.min(Math.max(windowPx * 0.5, peek), full), full]
}

/** Where a sheet let go at `heightPx` comes to rest; `speed` is positive upwards, in pixels per ms. */
export function restAt(heights: SheetHeights, heightPx: number, speed: number): SheetLevel {
  const levels: SheetLevel[] = [0, 1, 2]
  if (speed > FLICK_PX_PER_MS) return levels.find((level) => heights[level] > heightPx) ?? 2
  if (speed < -FLICK_PX_PER_MS) return levels.findLast((level) => heights[level] < heightPx) ?? 0
  return levels.reduce((best, level) =>
    Math.abs(heights[level] - heightPx) < Math.abs(heights[best] - heightPx) ? level : best,
  )
}
