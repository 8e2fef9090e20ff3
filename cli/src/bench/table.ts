import { print, toTable } from '../commands/shared.ts'

/** One measured thing: its runs, and what they are compared with. */
export interface Measure {
  name: string
  unit: string
  values: readonly number[]
  /** What it must not exceed, or what a peer took in the same run. */
  against: { name: string; value: number }
}

/** Prints medians, the range of the runs, and the ratio to what they are compared with. */
export function printMeasures(measures: readonly Measure[], isJson: boolean | undefined): void {
  const rows = measures.map(({ name, unit, values, against }) => {
    const middle = median(values)
    return {
      name,
      unit,
      runs: values.length,
      median: middle,
      min: Math.min(...values),
      max: Math.max(...values),
      against,
      ratio: middle / against.value,
    }
  })
  print(isJson, rows, () =>
    toTable(
      ['MEASURE', 'MEDIAN', 'MIN', 'MAX', 'RUNS', 'AGAINST', 'RATIO'],
      rows.map((row) => [
        row.name,
        `${round(row.median)} ${row.unit}`,
        round(row.min),
        round(row.max),
        String(row.runs),
        `${row.against.name} ${round(row.against.value)} ${row.unit}`,
        row.ratio.toFixed(2),
      ]),
    ),
  )
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5)
}

/** @param share 0 to 1 */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

function round(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toFixed(2)
}
