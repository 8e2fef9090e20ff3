import { InvalidArgumentError, type Command } from 'commander'
import { AppError, formatDuration, parseTime, systemClock, toIsoTime, type CityView } from '@pulso/model'
import { createReplay, openReplay, type ReplayProgress, type ReplaySummary } from '@pulso/simulators'
import { parseConfig } from '../config/config.ts'
import { createLogger } from '../logger.ts'
import { findDoor, untilInterrupted, type DoorOptions } from './door.ts'
import { print } from './shared.ts'

interface ReplayCommandOptions extends DoorOptions {
  speed: number | 'max'
  keepTime?: true
  from?: number
  to?: number
  json?: true
}

const GATEWAY = 'replay'
/** Sensors of recordings are told apart from the city's own. */
const PREFIX = 'replay-'

export function addReplayCommand(program: Command): void {
  program
    .command('replay')
    .argument(
      '<path>',
      'a folder of car-park days with lots_with_coordinates.csv, or a CSV file of hourly air quality',
    )
    .description('Play recorded data through the front door, shifted by whole weeks to now')
    .option('--speed <factor>', 'how many times faster than recorded, or max', toSpeed, 'max')
    .option('--keep-time', 'send the recorded times as they are (the box needs a wide PULSO_CLOCK_PAST)')
    .option('--from <time>', 'from this recorded time on, ISO 8601 with a zone', toTime)
    .option('--to <time>', 'up to this recorded time', toTime)
    .option('--mqtt <url>', 'another broker than the box of this data folder')
    .option('--api <url>', 'its API, to know which times it takes')
    .option('--username <name>', 'a gateway’s credential, with --mqtt')
    .option('--password <secret>')
    .option('--json', 'print the summary as one object')
    .action(replay)
}

async function replay(path: string, options: ReplayCommandOptions): Promise<void> {
  const { logLevel } = parseConfig(process.env)
  const source = await openReplay({ path, idPrefix: PREFIX })
  const door = await findDoor(options, { username: GATEWAY, prefix: PREFIX, sensors: source.sensors })
  const clockLimits = door.apiUrl === undefined ? undefined : await fetchClockLimits(door.apiUrl)
  const player = createReplay({
    ...door,
    source,
    speed: options.speed,
    clock: systemClock,
    logger: createLogger(logLevel === 'info' ? 'error' : logLevel, 'replay'),
    keepTime: options.keepTime ?? false,
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

/** How far the box lets a device's time lie from its own. */
async function fetchClockLimits(apiUrl: string): Promise<CityView['clock']> {
  const response = await fetch(new URL('/api/v1/city', apiUrl), { signal: AbortSignal.timeout(5_000) }).catch(
    (cause: unknown) => {
      throw new AppError('api-unavailable', `The API at ${apiUrl} does not answer`, { cause })
    },
  )
  if (!response.ok) throw new AppError('api-unavailable', `The API at ${apiUrl} answers ${response.status}`)
  return ((await response.json()) as CityView).clock
}

function toSpeed(text: string): number | 'max' {
  if (text === 'max') return text
  const speed = Number(text)
  if (!(speed > 0)) throw new InvalidArgumentError('write a factor above 0, or max')
  return speed
}

function toTime(text: string): number {
  const timeMs = parseTime(text)
  if (timeMs === undefined) throw new InvalidArgumentError('write a time like 2024-06-10T08:00:00Z')
  return timeMs
}

function describeProgress({ rows, rowCount, messages, recordedMs }: ReplayProgress): string {
  const percent = Math.floor((100 * rows) / rowCount)
  return `${percent} %  ${toIsoTime(recordedMs)}  ${messages} messages acknowledged`
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
