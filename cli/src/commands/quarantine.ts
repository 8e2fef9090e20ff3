import { InvalidArgumentError, Option, type Command } from 'commander'
import {
  parseDuration,
  QUARANTINE_REASONS,
  toIsoTime,
  type QuarantineReason,
  type QuarantineSelection,
  type QuarantineView,
} from '@pulso/model'
import type { RpcClient } from '@pulso/stores'
import type { QuarantineDesk, QuarantineListing } from '../box/quarantine-desk.ts'
import { parseConfig } from '../config/config.ts'
import { connectControl } from '../control.ts'
import { print, toTable } from './shared.ts'

interface SelectOptions {
  reason?: QuarantineReason
  sensor?: string
  json?: true
}

interface PurgeOptions extends SelectOptions {
  olderThan?: number
  all?: true
}

/** A detail is a sentence; in a table its beginning has to do. */
const DETAIL_LENGTH = 70

export function addQuarantineCommands(program: Command): void {
  const quarantine = program
    .command('quarantine')
    .description('What was kept aside instead of stored: look at it, try it again, delete it')

  withSelection(quarantine.command('list'))
    .description('Show what went wrong how often, and the newest entries. Works while the box runs or not.')
    .option('--limit <count>', 'how many of each at most', toCount, 20)
    .option('--json', 'print {"page","totals"}')
    .action(async (options: SelectOptions & { limit: number }) => {
      const { limit, json } = options
      const listing = await withQuarantine((desk) =>
        desk.listQuarantine({ selection: toSelection(options), limit }),
      )
      print(json, listing, () => describeListing(listing))
    })

  quarantine
    .command('show')
    .argument('<id>', 'as shown by list', toCount)
    .description('Show one entry with all that arrived')
    .option('--json', 'print the entry')
    .action(async (id: number, options: { json?: true }) => {
      const entry = await withQuarantine((desk) => desk.showQuarantine(id))
      print(options.json, entry, () => describeEntry(entry))
    })

  withSelection(quarantine.command('replay'))
    .description(
      'After a fix: let the running box try again. Without options everything; what fails comes back',
    )
    .option('--id <ids...>', 'these entries alone', toCounts)
    .option('--json', 'print {"replayed","messages","refused","settled"}')
    .action(async (options: SelectOptions & { id?: number[] }) => {
      const result = await withQuarantine((desk) => replay(desk, options))
      print(options.json, result, () => describeReplay(result))
    })

  withSelection(quarantine.command('purge'))
    .description('Delete for good. Works while the box runs or not')
    .option('--older-than <duration>', 'what arrived longer ago than this, like 30d', toDurationMs)
    .addOption(new Option('--all', 'everything').conflicts(['reason', 'sensor', 'olderThan']))
    .option('--json', 'print {"removed"}')
    .action(async (options: PurgeOptions, command: Command) => {
      const selection = toSelection(options)
      if (Object.keys(selection).length === 0 && !options.all)
        command.error('error: say what to delete: --reason, --sensor, --older-than, or --all')
      const removed = await withQuarantine((desk) => purge(desk, selection))
      print(options.json, { removed }, () => `Deleted ${removed} ${removed === 1 ? 'entry' : 'entries'}.`)
    })
}

function withSelection(command: Command): Command {
  return command
    .addOption(new Option('--reason <reason>', 'only this reason').choices(QUARANTINE_REASONS))
    .option('--sensor <id>', 'only what this sensor sent')
}

/** Through the running box, or on its folder when none runs. */
async function withQuarantine<T>(action: (desk: RpcClient<QuarantineDesk>) => Promise<T>): Promise<T> {
  const config = parseConfig(process.env)
  const running = await connectControl<QuarantineDesk>(config.dataDir)
  if (running) return action(running)
  const { withStoppedBox } = await import('../box/stopped-box.ts')
  return withStoppedBox(config, action)
}

interface ReplayResult {
  replayed: number
  messages: number
  refused: number
  /** False when ingest has not got to the last ones yet; there may be more then. */
  settled: boolean
}

async function replay(
  desk: RpcClient<QuarantineDesk>,
  options: SelectOptions & { id?: number[] },
): Promise<ReplayResult> {
  const result: ReplayResult = { replayed: 0, messages: 0, refused: 0, settled: true }
  const selection = toSelection(options)
  const selections = options.id ? options.id.map((id) => ({ ...selection, id })) : [selection]
  for (const each of selections) {
    let next: { after: number; through: number } | null = null
    do {
      const step: Awaited<ReturnType<QuarantineDesk['replayQuarantine']>> = await desk.replayQuarantine({
        ...each,
        ...next,
      })
      next = step.next
      result.replayed += step.entries
      result.messages += step.messages
      result.refused += step.refused
      result.settled = step.settled
      if (!options.json && next) console.error(`${result.replayed} so far …`)
      // With a store away, going on would only fill the journal.
      if (!step.settled) return result
    } while (next)
  }
  return result
}

async function purge(desk: RpcClient<QuarantineDesk>, selection: QuarantineSelection): Promise<number> {
  let removed = 0
  let next: { through: number } | null = null
  do {
    const step: Awaited<ReturnType<QuarantineDesk['purgeQuarantine']>> = await desk.purgeQuarantine({
      ...selection,
      ...next,
    })
    removed += step.removed
    next = step.next
  } while (next)
  return removed
}

function toSelection({ reason, sensor, olderThan }: PurgeOptions): QuarantineSelection {
  return {
    ...(reason !== undefined && { reason }),
    ...(sensor !== undefined && { sensor }),
    ...(olderThan !== undefined && { receivedBefore: toIsoTime(Date.now() - olderThan) }),
  }
}

function describeListing({ page, totals }: QuarantineListing): string {
  if (totals.totals.length === 0) return 'Nothing is kept aside.'
  const mistakes = toTable(
    ['COUNT', 'KEPT', 'REASON', 'SENSOR', 'METRIC', 'SINCE', 'LAST', 'DETAIL'],
    totals.totals.map((total) => [
      String(total.count),
      String(total.kept),
      total.reason,
      total.sensor ?? '–',
      total.metric ?? '–',
      toMinute(total.firstReceivedAt),
      toMinute(total.lastReceivedAt),
      clip(total.sample.detail),
    ]),
  )
  const entries = toTable(
    ['ID', 'RECEIVED', 'REASON', 'SENSOR', 'METRIC', 'DETAIL'],
    page.entries.map(({ id, receivedAt, reason, sensor, metric, detail }) => [
      String(id),
      receivedAt,
      reason,
      sensor ?? '–',
      metric ?? '–',
      clip(detail),
    ]),
  )
  return `${mistakes}\n\n${entries}\n\n'pulso quarantine show ID' shows what arrived.`
}

function describeEntry({ id, receivedAt, reason, detail, topic, metric, ...entry }: QuarantineView): string {
  return [
    `entry     ${id}`,
    `received  ${receivedAt}`,
    `reason    ${reason}`,
    `detail    ${detail}`,
    `topic     ${topic}`,
    `sensor    ${entry.sensor ?? '–'}`,
    `metric    ${metric ?? '–'}`,
    '',
    entry.hex === null ? entry.payload || '(empty)' : toHexLines(entry.hex),
  ].join('\n')
}

function describeReplay({ replayed, messages, refused, settled }: ReplayResult): string {
  if (replayed === 0) return 'There was nothing to replay.'
  const done = `Replayed ${replayed} ${replayed === 1 ? 'entry' : 'entries'} as ${messages} ${messages === 1 ? 'message' : 'messages'}`
  if (!settled)
    return `${done}. Ingest has not got to the last of them yet ('pulso status' says why); they are safe in the journal. Run this again for any that are left.`
  if (refused === 0) return `${done}; none came back.`
  return `${done}; still refused: ${refused}, see 'pulso quarantine list'.`
}

function toMinute(isoTime: string): string {
  return isoTime.slice(0, 16).replace('T', ' ')
}

function clip(text: string): string {
  return text.length > DETAIL_LENGTH ? `${text.slice(0, DETAIL_LENGTH - 1)}…` : text
}

/** 32 bytes a line. */
function toHexLines(hex: string): string {
  return (hex.match(/.{1,64}/g) ?? []).map((line) => line.replace(/..(?=.)/g, '$& ')).join('\n')
}

function toCount(text: string): number {
  const count = Number(text)
  if (!Number.isInteger(count) || count < 1) throw new InvalidArgumentError('write a whole number from 1 on')
  return count
}

function toCounts(text: string, before: number[] | undefined): number[] {
  return [...(before ?? []), toCount(text)]
}

function toDurationMs(text: string): number {
  try {
    return parseDuration(text)
  } catch {
    throw new InvalidArgumentError('write a duration like 30d, 12h or 10m')
  }
}
