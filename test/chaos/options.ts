import { parseArgs } from 'node:util'

export interface ChaosOptions {
  /** Of each scenario. */
  kills: number
  seed: number
  /** The one to run; all of them otherwise. */
  scenario: string | undefined
  messagesPerSecond: number
  /** Where the log goes beside the screen. */
  log: string | undefined
  json: boolean
}

export const CHAOS_HELP = `Kills the box again and again under load, and compares what it acknowledged with what it stored.

  npm run chaos -- [--kills 100] [--seed 1] [--scenario NAME] [--rate 1500] [--log FILE] [--json]

--kills     kills in all; they are shared out among the scenarios
--seed      the same seed draws the same moments, faults and messages
--scenario  one scenario alone
--rate      messages a second that the devices try to send
--log       a file that gets every line
--json      the summary as JSON on standard output`

export function parseChaosOptions(args: readonly string[]): ChaosOptions | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      kills: { type: 'string', default: '100' },
      seed: { type: 'string', default: '1' },
      scenario: { type: 'string' },
      rate: { type: 'string', default: '1500' },
      log: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return 'help'
  return {
    kills: toCount('kills', values.kills),
    seed: toCount('seed', values.seed),
    scenario: values.scenario,
    messagesPerSecond: toCount('rate', values.rate),
    log: values.log,
    json: values.json,
  }
}

export function toCount(name: string, text: string): number {
  const count = Number(text)
  if (!Number.isInteger(count) || count < 1)
    throw new Error(`--${name} is a whole number from 1 on, not '${text}'`)
  return count
}
