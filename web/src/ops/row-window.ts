/** Rows drawn beyond each edge of what is seen, so that a quick scroll or an arrow key finds them there. */
const OVERSCAN_ROWS = 8

export interface RowWindow {
  /** First row to draw, and the one behind the last. */
  from: number
  to: number
  /** Heights of what is not drawn. */
  aboveHeight: number
  belowHeight: number
}

/**
 * Which rows of a long table to draw: thousands of rows stay as quick as forty. All rows have the same height.
 * @param view the scroller's position and height in px
 */
export function toRowWindow(
  count: number,
  rowHeight: number,
  view: { scrollTop: number; height: number },
): RowWindow {
  const first = Math.floor(view.scrollTop / rowHeight) - OVERSCAN_ROWS
  const last = Math.ceil((view.scrollTop + view.height) / rowHeight) + OVERSCAN_ROWS
  const from = Math.max(0, Math.min(first, count))
  const to = Math.max(from, Math.min(last, count))
  return { from, to, aboveHeight: from * rowHeight, belowHeight: (count - to) * rowHeight }
}

/** The scroll position that shows a row whole, leaving it alone when it is already seen. */
export function scrollTopFor(
  index: number,
  rowHeight: number,
  view: { scrollTop: number; height: number },
): number {
  const top = index * rowHeight
  if (top < view.scrollTop) return top
  const bottom = top + rowHeight
  return bottom > view.scrollTop + view.height ? bottom - view.height : view.scrollTop
}
