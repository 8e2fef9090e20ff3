import { AppError } from '@pulso/model'
import { printRows, type Row } from './rows.ts'

export interface MeasureOptions {
  runs: number
  /** How long a run is measured. */
  seconds: number
  /** Names of measures; without it all of them. */
  only?: string[]
  json?: true
}

export type Measures = Readonly<Record<string, (options: MeasureOptions) => Promise<Row[]>>>

/** Takes the chosen measures one after the other, and prints them. @throws AppError `unknown-measure` */
export async function runMeasures(measures: Measures, options: MeasureOptions): Promise<void> {
  const unknown = options.only?.find((name) => !Object.hasOwn(measures, name))
  if (unknown !== undefined) {
    const names = Object.keys(measures).join(', ')
    throw new AppError('unknown-measure', `There is no measure '${unknown}'; there are ${names}`)
  }
  const rows: Row[] = []
  for (const [name, measure] of Object.entries(measures)) {
    if (options.only && !options.only.includes(name)) continue
    if (!options.json) console.error(`${name} …`)
    rows.push(...(await measure(options)))
  }
  printRows(rows, options.json)
}
