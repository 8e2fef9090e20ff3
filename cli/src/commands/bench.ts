import { InvalidArgumentError, type Command } from 'commander'
import type { ForecastBenchOptions } from '../bench/forecast.ts'
import type { MeasureOptions } from '../bench/measures.ts'
import type { LiveBenchOptions } from '../bench/live.ts'
import type { BenchOptions } from '../bench/start.ts'

export function addBenchCommands(program: Command): void {
  const bench = program
    .command('bench')
    .description('Measure, on this machine, against a limit or a peer of the same run')

  bench
    .command('start')
    .description('How long from the start to the first data, and from Ctrl-C to the end')
    .option('--runs <count>', 'how often; medians are shown', toRuns, 5)
    .option('--json', 'print one object')
    .action(async (options: BenchOptions) => (await import('../bench/start.ts')).benchStart(options))

  bench
    .command('door')
    .description('How long a PUBACK takes while ingest and the API work hard, against an idle box')
    .option('--runs <count>', 'how often; medians are shown', toRuns, 5)
    .option('--json', 'print one object')
    .action(async (options: BenchOptions) => (await import('../bench/door.ts')).benchDoor(options))

  bench
    .command('api')
    .description('What an answer costs against a route that only returns bytes, and while readings come in')
    .option('--runs <count>', 'pairs of runs, in turn; medians are shown', toRuns, 5)
    .option('--seconds <count>', 'how long each run is measured', toRuns, 10)
    .option('--only <measure...>', 'zones, nearest, busy')
    .option('--json', 'print one object')
    .action(async (options: MeasureOptions) => (await import('../bench/api.ts')).benchApi(options))

  bench
    .command('ingest')
    .description('How much a box acknowledges and keeps, against a broker that keeps nothing')
    .option('--runs <count>', 'pairs of runs, in turn; medians are shown', toRuns, 5)
    .option('--seconds <count>', 'how long each run is measured', toRuns, 10)
    .option('--only <measure...>', 'kept, sustained, connections, memory, sensors')
    .option('--json', 'print one object')
    .action(async (options: MeasureOptions) => (await import('../bench/ingest.ts')).benchIngest(options))

  bench
    .command('forecast')
    .argument('<path>', 'recorded car parks, as for replay: a folder of days, or one of its files')
    .description('How far off forecasts of free spaces would have been, against “as now”')
    .option('--time-zone <name>', 'of the recorded cities', 'Europe/Berlin')
    .option('--only <name>', 'only sensors whose recorded name begins with this, like dresden', '')
    .option('--json', 'print one object')
    .action(async (path: string, options: ForecastBenchOptions) =>
      (await import('../bench/forecast.ts')).benchForecast(path, options),
    )

  bench
    .command('live')
    .description(
      'How soon a change reaches the live feed’s readers, and what a reader costs, against plain sockets',
    )
    .option('--readers <count>', 'how many', toReaders, 5_000)
    .option('--runs <count>', 'how often; medians are shown', toRuns, 5)
    .option('--seconds <count>', 'how long CPU is counted in each run', toRuns, 15)
    .option('--json', 'print one object')
    .action(async (options: LiveBenchOptions) => (await import('../bench/live.ts')).benchLive(options))
}

function toReaders(text: string): number {
  const readers = Number(text)
  if (!Number.isInteger(readers) || readers < 1 || readers > 10_000)
    throw new InvalidArgumentError('write a whole number from 1 to 10000')
  return readers
}

function toRuns(text: string): number {
  const runs = Number(text)
  if (!Number.isInteger(runs) || runs < 1 || runs > 100)
    throw new InvalidArgumentError('write a whole number from 1 to 100')
  return runs
}
