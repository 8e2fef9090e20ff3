import type { ScenarioReport } from './run-scenario.ts'
import type { ProblemType } from './support/compare.ts'

const COLUMNS = [
  'scenario',
  'kills',
  'checks',
  'acknowledged',
  'sent again',
  'lost',
  'doubled',
  'other faults',
  'ready, median',
  'ready, longest',
] as const

/** The summary for people, as a Markdown table, so that it can be kept in the docs as it is. */
export function toTable(reports: readonly ScenarioReport[]): string {
  const rows = reports.map(toRow)
  const total = toRow({
    scenario: 'all',
    seed: 0,
    elapsedMs: 0,
    kills: sum(reports, ({ kills }) => kills),
    checks: sum(reports, ({ checks }) => checks),
    sent: sum(reports, ({ sent }) => sent),
    resent: sum(reports, ({ resent }) => resent),
    acknowledged: sum(reports, ({ acknowledged }) => acknowledged),
    readings: sum(reports, ({ readings }) => readings),
    indistinguishable: sum(reports, ({ indistinguishable }) => indistinguishable),
    bestEffortLost: sum(reports, ({ bestEffortLost }) => bestEffortLost),
    readyMs: reports.flatMap(({ readyMs }) => readyMs),
    problems: reports.flatMap(({ problems }) => problems),
  })
  const cells = [[...COLUMNS], ...rows, total]
  const widths = COLUMNS.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)))
  const toLine = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join(' | ')} |`
  const rule = widths.map((width, column) => (column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`))
  return [toLine([...COLUMNS]), toLine(rule), ...rows.map(toLine), toLine(total)].join('\n')
}

function toRow(report: ScenarioReport): string[] {
  const { scenario, kills, checks, acknowledged, resent, problems, readyMs } = report
  const count = (type: ProblemType): number => problems.filter((problem) => problem.type === type).length
  const [lost, doubled] = [count('lost'), count('doubled')]
  const numbers = [kills, checks, acknowledged, resent, lost, doubled, problems.length - lost - doubled]
  return [scenario, ...numbers.map((number) => number.toLocaleString('en')), ...toReadyCells(readyMs)]
}

function toReadyCells(readyMs: readonly number[]): string[] {
  if (readyMs.length === 0) return ['–', '–']
  const sorted = readyMs.toSorted((one, other) => one - other)
  return [sorted[sorted.length >> 1], sorted.at(-1)].map((ms) => `${((ms ?? 0) / 1_000).toFixed(2)} s`)
}

function sum<T>(list: readonly T[], value: (each: T) => number): number {
  return list.reduce((total, each) => total + value(each), 0)
}
