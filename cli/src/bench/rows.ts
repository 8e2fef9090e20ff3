import { print, toTable } from '../commands/shared.ts'
import { median } from './table.ts'

/** One measure: a ratio per run, and what it is held against. */
export interface Row {
  measure: string
  /** Each run's ratio or figure. */
  values: number[]
  /** Absent where nothing is asked for. */
  floor?: number
  aim?: number
  /** Whether less is better. */
  isCost?: true
  unit?: string
  detail: string
}

/** Prints medians beside what is asked for, and whether they reach it. */
export function printRows(rows: readonly Row[], isJson: boolean | undefined): void {
  print(
    isJson,
    rows.map((row) => ({ ...row, median: median(row.values) })),
    () =>
      toTable(
        ['MEASURE', 'MEDIAN', 'RUNS', 'FLOOR', 'AIM', 'VERDICT', 'DETAIL'],
        rows.map((row) => [
          row.measure,
          show(median(row.values), row.unit),
          row.values.map((value) => show(value, row.unit)).join(' '),
          row.floor === undefined ? '' : show(row.floor, row.unit),
          row.aim === undefined ? '' : show(row.aim, row.unit),
          judge(row),
          row.detail,
        ]),
      ),
  )
}

function judge({ values, floor, aim, isCost }: Row): string {
  if (floor === undefined || aim === undefined) return ''
  const middle = median(values)
  const reaches = (mark: number): boolean => (isCost ? middle <= mark : middle >= mark)
  if (reaches(aim)) return 'aim'
  return reaches(floor) ? 'floor' : 'MISSED'
}

function show(value: number, unit?: string): string {
  return unit ? `${value.toFixed(1)} ${unit}` : value.toFixed(2)
}
