import { InvalidArgumentError, type Command } from 'commander'
import { parseTime } from '@pulso/model'
import type { ReplayCommandOptions } from '../simulators/run-replay.ts'

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
    .option('--follow', 'having come to now, go on in real time with what was recorded next, until Ctrl-C')
    .option('--from <time>', 'from this recorded time on, ISO 8601 with a zone', toTime)
    .option('--to <time>', 'up to this recorded time', toTime)
    .option('--only <name>', 'only sensors whose recorded name begins with this, like dresden', '')
    .option('--mqtt <url>', 'another broker than the box of this data folder')
    .option('--api <url>', 'its API, to know which times it takes')
    .option('--username <name>', 'a gateway’s credential, with --mqtt')
    .option('--password <secret>')
    .option('--json', 'print the summary as one object')
    .action(async (path: string, options: ReplayCommandOptions) =>
      (await import('../simulators/run-replay.ts')).runReplay(path, options),
    )
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
