/** A semibold letter of the tabs is about this wide, as a share of the font's size. */
const LETTER_EM = 0.6
const PADDING_PX = 12

/**
 * Into how many columns tabs go so that no word is cut and the rows are even: 4 tabs of long words make 2 × 2.
 */
export function countTabColumns(
  titles: readonly string[],
  { widthPx, fontPx }: { widthPx: number; fontPx: number },
): number {
  const longest = Math.max(1, ...titles.flatMap((title) => title.split(/[\s-]+/).map((word) => word.length)))
  const fitting = Math.max(1, Math.floor(widthPx / (longest * LETTER_EM * fontPx + PADDING_PX)))
  const rows = Math.ceil(titles.length / fitting)
  return Math.max(1, Math.ceil(titles.length / rows))
}
