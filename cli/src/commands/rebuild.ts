import { InvalidArgumentError, type Command } from 'commander'
import { setTimeout as sleep } from 'node:timers/promises'
import { formatDuration, parseTime, SECOND_MS, toIsoTime } from '@pulso/model'
import type { RpcClient } from '@pulso/stores'
import type { RebuildDesk } from '../box/rebuild-desk.ts'
import { parseConfig, type Config } from '../config/config.ts'
import { connectControl } from '../control.ts'
import { print } from './shared.ts'

interface RebuildOptions {
  kind?: string
  from?: number
  to?: number
  cancel?: true
  json?: true
}

export function addRebuildCommand(program: Command): void {
  program
    .command('rebuild')
    .description(
      'Work aggregates out anew from the readings, as far as these are kept. It goes on by itself, also after a restart; Ctrl-C ends the watching alone.',
    )
    .option('--kind <kind>', 'of this kind of sensor alone')
    .option('--from <time>', 'from this time on, ISO 8601 with a zone', toTimeMs)
    .option('--to <time>', 'up to this time', toTimeMs)
    .option('--cancel', 'leave what is still to be rebuilt as it is')
    .option('--json', 'print one object at the end')
    .action(async (options: RebuildOptions) => {
      const config = parseConfig(process.env)
      await withDesk(config, (desk) => (options.cancel ? cancel(desk, options) : rebuild(desk, options)))
    })
}

/** Through the running box, or on its folder when none runs. */
async function withDesk(
  config: Config,
  action: (desk: RpcClient<RebuildDesk>) => Promise<void>,
): Promise<void> {
  const running = await connectControl<RebuildDesk>(config.dataDir)
  if (running) return action(running)
  const { withStoppedRoller } = await import('../box/stopped-roller.ts')
  return withStoppedRoller(config, action)
}

async function cancel(desk: RpcClient<RebuildDesk>, { json }: RebuildOptions): Promise<void> {
  const hours = await desk.cancelRebuild()
  print(json, { cancelledHours: hours }, () => `${hours} hours stay as they are.`)
}

const WATCH_EVERY_MS = 500

async function rebuild(desk: RpcClient<RebuildDesk>, options: RebuildOptions): Promise<void> {
  const { kind, from: fromMs, to: toMs, json } = options
  const { hours, coveredFromMs } = await desk.rebuild({
    ...(kind !== undefined && { kind }),
    ...(fromMs !== undefined && { fromMs }),
    ...(toMs !== undefined && { toMs }),
  })
  const startedMs = performance.now()
  let left = (await desk.rebuildStatus()).hours
  const most = Math.max(left, hours)
  while (left > 0) {
    await sleep(WATCH_EVERY_MS)
    const status = await desk.rebuildStatus()
    left = status.hours
    if (!json) console.error(describeProgress({ done: most - left, most, startedMs, error: status.error }))
  }
  const elapsedMs = performance.now() - startedMs
  print(json, { hours, elapsedMs: Math.round(elapsedMs), unchangedBefore: toText(coveredFromMs) }, () =>
    [
      `${hours} hours of aggregates were worked out anew in ${formatDuration(elapsedMs)}.`,
      ...(coveredFromMs === null
        ? []
        : [
            `What is older than ${toIsoTime(coveredFromMs)} stays as it is: its readings are no longer kept.`,
          ]),
    ].join('\n'),
  )
}

function toText(timeMs: number | null): string | null {
  return timeMs === null ? null : toIsoTime(timeMs)
}

/** Of each hour: its twelve buckets of five minutes, and itself. */
const BUCKETS_PER_HOUR = 13

function describeProgress({
  done,
  most,
  startedMs,
  error,
}: {
  done: number
  most: number
  startedMs: number
  error: string | null
}): string {
  const seconds = (performance.now() - startedMs) / SECOND_MS
  const percent = Math.floor((Math.max(0, done) / most) * 100)
  const rate = Math.max(0, done) / seconds
  const leftText = rate > 0 ? `, ${formatDuration(((most - done) / rate) * SECOND_MS)} left` : ''
  const waits = error === null ? '' : `; it waits: ${error}`
  return `${percent} %, ${Math.round(rate * BUCKETS_PER_HOUR)} buckets/s${leftText}${waits}`
}

function toTimeMs(text: string): number {
  const timeMs = parseTime(text)
  if (timeMs === undefined)
    throw new InvalidArgumentError('write ISO 8601 with a zone, like 2026-05-31T00:00:00+02:00')
  return timeMs
}
