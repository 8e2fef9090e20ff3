import type { Command } from 'commander'
import { AppError, formatDuration } from '@pulso/model'
import type { BoxStatus, RunningBoxMethods } from '../box/box.ts'
import { describeMqtt } from '../box/start-report.ts'
import { parseConfig } from '../config/config.ts'
import { connectControl } from '../control.ts'
import { print } from './shared.ts'

export function addStatusCommand(program: Command): void {
  program
    .command('status')
    .description('Say how the running box is')
    .option('--json', 'print one object')
    .action(async (options: { json?: true }) => {
      const { dataDir } = parseConfig(process.env)
      const box = await connectControl<RunningBoxMethods>(dataDir)
      if (!box)
        throw new AppError(
          'box-not-running',
          `No box runs on ${dataDir}: start one with 'npm start' or 'npx pulso start'`,
        )
      const status = await box.status()
      print(options.json, status, () => describe(status))
    })
}

function describe({ http, mqtt, sources, journal, ingest, connections, rollups }: BoxStatus): string {
  const age = journal.oldestAgeMs === null ? '' : `, oldest ${formatDuration(journal.oldestAgeMs)}`
  return [
    `http         ${http}`,
    `mqtt         ${describeMqtt(mqtt)}, ${connections} connections`,
    ...sources.map(describeSource),
    `journal      ${journal.depth} messages waiting${age}`,
    `ingest       ${ingest.messagesPerSecond.toFixed(1)} messages/s`,
    `stored       ${ingest.readingsStored} since the start, ${ingest.readingsDuplicate} duplicate, ${ingest.readingsCorrected} corrected`,
    `quarantined  ${ingest.messagesQuarantined} since the start`,
    `aggregates   ${describeRollups(rollups)}`,
    `disk         ${describeSizes(rollups)}`,
  ].join('\n')
}

function describeSource({ name, url, state, messages, problem }: BoxStatus['sources'][number]): string {
  const wrong = problem ? `: ${problem.message}` : ''
  return `source       ${name} (${url}) ${state}, ${messages} messages since the start${wrong}`
}

function describeRollups({ lagMs, dueHours: { changed, rebuild }, error }: BoxStatus['rollups']): string {
  const behind = lagMs > 0 ? `${formatDuration(lagMs)} behind` : 'up to date'
  const due = changed + rebuild > 0 ? `, ${changed + rebuild} hours to be worked out anew` : ''
  return `${behind}${due}${error === null ? '' : `; tries again: ${error}`}`
}

function describeSizes({ totalBytes, rows }: BoxStatus['rollups']): string {
  const size = totalBytes === null ? 'unknown' : `${(totalBytes / 1_000_000).toFixed(1)} MB`
  if (!rows) return size
  return `${size}: ${rows.raw} readings, aggregates: ${rows['5m']} of 5 min, ${rows['1h']} of hours, ${rows['1d']} of days`
}
