import { formatDuration, systemClock, toIsoTime } from '@pulso/model'
import {
  createReplay,
  fetchClockLimits,
  openReplay,
  type ReplayProgress,
  type ReplaySummary,
} from '@pulso/simulators'
import { parseConfig } from '../config/config.ts'
import { createLogger } from '../logger.ts'
import { print } from '../commands/shared.ts'
import { findDoor, untilInterrupted, type DoorOptions } from './door.ts'

export interface ReplayCommandOptions extends DoorOptions {
  speed: number | 'max'
  keepTime?: true
  only: string
  follow?: true
  from?: number
  to?: number
  json?: true
}

const GATEWAY = 'replay'
/** Sensors of recordings are told apart from the city's own. */
const PREFIX = 'replay-'

/** `pulso replay`. */
export async function runReplay(path: string, options: ReplayCommandOptions): Promise<void> {
  const { logLevel } = parseConfig(process.env)
  const source = await openReplay({ path, idPrefix: PREFIX, only: options.only })
  const door = await findDoor(options, { username: GATEWAY, prefix: PREFIX, sensors: source.sensors })
  const clockLimits = door.apiUrl === undefined ? undefined : await fetchClockLimits(door.apiUrl)
  const player = createReplay({
    ...door,
    source,
    speed: options.speed,
    clock: systemClock,
    // Progress, warnings and the end are told in words here; the log would say them again.
    logger: createLogger(logLevel === 'info' ? 'error' : logLevel, 'replay'),
    keepTime: options.keepTime ?? false,
    follow: options.follow ?? false,
    ...(options.from === undefined ? {} : { fromMs: options.from }),
    ...(options.to === undefined ? {} : { toMs: options.to }),
    ...(clockLimits ? { clockLimits } : {}),
    onProgress: (progress) => console.error(describeProgress(progress)),
  })

  const plan = await player.plan()
  console.error(
    `${source.sensors.length} sensors, ${source.rowCount} rows, shown from ${toIsoTime(plan.firstMs)} to ${toIsoTime(plan.lastMs)}`,
  )
  for (const warning of plan.warnings) console.error(`  ! ${warning}`)
  untilInterrupted().addEventListener('abort', () => void player.stop())
  const summary = await player.start()
  print(options.json, summary, () => describeSummary(summary))
}

function describeProgress({ rows, rowCount, messages, recordedMs }: ReplayProgress): string {
  const done = rows < rowCount ? `${Math.floor((100 * rows) / rowCount)} %` : 'following'
  return `${done}  ${toIsoTime(recordedMs)}  ${messages} messages acknowledged`
}

function describeSummary({
  finished,
  rows,
  messages,
  durationMs,
  refused,
  malformed,
}: ReplaySummary): string {
  const reasons = Object.entries(refused).map(([reason, count]) => `${count} ${reason}`)
  return [
    `${finished ? 'Played' : 'Stopped after'} ${rows} rows in ${formatDuration(durationMs)}: ${messages} messages acknowledged.`,
    ...(reasons.length > 0 ? [`The box keeps aside: ${reasons.join(', ')} (see /ops).`] : []),
    ...(malformed > 0 ? [`${malformed} rows or cells of the recording could not be read.`] : []),
  ].join('\n')
}
