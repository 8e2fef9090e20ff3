/** `npm run chaos`: the long run. Ends with 1 on any loss, doubling or other fault. */
import { measureKnownSensors } from './known-sensors.ts'
import { CHAOS_HELP, parseChaosOptions, type ChaosOptions } from './options.ts'
import { runScenario, type ScenarioReport } from './run-scenario.ts'
import { SCENARIOS } from './scenarios/index.ts'
import { toTable } from './summary.ts'
import { createRunLog, type RunLog } from './support/run-log.ts'

const KNOWN_SENSORS = 100_000
const SHOWN_PROBLEMS = 20

const options = parseChaosOptions(process.argv.slice(2))
if (options === 'help') process.stdout.write(`${CHAOS_HELP}\n`)
else process.exitCode = await run(options)

async function run(chosen: ChaosOptions): Promise<number> {
  const log = createRunLog({ file: chosen.log })
  const reports = await runAll(chosen, log)
  const known = await measureKnownSensors(KNOWN_SENSORS)
  const readyMs = known.readyMs.map((ms) => Math.round(ms))

  log.say(
    `\nSeed ${chosen.seed}, at most ${chosen.messagesPerSecond} messages a second\n\n${toTable(reports)}\n`,
  )
  const unsure = reports.reduce((sum, { indistinguishable }) => sum + indistinguishable, 0)
  log.say(`${unsure} readings without a device time are there twice, since their first PUBACK was lost.`)
  log.say(
    `A start with ${known.sensors} known sensors, each with a state, to ready: ${readyMs.join(', ')} ms (limit ${known.limitMs}).`,
  )
  if (chosen.json) process.stdout.write(`${JSON.stringify({ options: chosen, reports, known })}\n`)
  await log.close()
  return reports.some(({ problems }) => problems.length > 0) ? 1 : 0
}

async function runAll({ kills, seed, scenario: only, messagesPerSecond }: ChaosOptions, log: RunLog) {
  const chosen = SCENARIOS.filter(({ name }) => only === undefined || name === only)
  if (chosen.length === 0) {
    throw new Error(`no scenario '${only ?? ''}'; there are ${SCENARIOS.map(({ name }) => name).join(', ')}`)
  }
  const runnable = chosen.filter((scenario) => {
    const reason = scenario.skip()
    if (reason !== false) log.say(`${scenario.name} is left out: ${reason}`)
    return reason === false
  })
  const reports: ScenarioReport[] = []
  for (const [index, scenario] of runnable.entries()) {
    // What is left is shared out among those that are left: some kill more often than they were asked to.
    const done = reports.reduce((sum, report) => sum + report.kills, 0)
    const share = Math.max(1, Math.ceil((kills - done) / (runnable.length - index)))
    log.say(`\n${scenario.name}: ${scenario.title}; ${share} kills`)
    const say = (text: string): void => log.say(`  ${text}`)
    const report = await runScenario(scenario, {
      kills: share,
      seed,
      messagesPerSecond,
      say,
      keepFolder: true,
    })
    reports.push(report)
    log.say(describe(report))
  }
  return reports
}

function describe(report: ScenarioReport): string {
  const { scenario, kills, acknowledged, readings, problems, seed, elapsedMs, folder } = report
  const figures = `${kills} kills, ${acknowledged} acknowledged, ${readings} readings compared`
  const head = `${scenario}: ${figures}, ${problems.length} faults, ${Math.round(elapsedMs / 1_000)} s`
  if (problems.length === 0) return head
  const shown = problems.slice(0, SHOWN_PROBLEMS).map(({ type, detail }) => `  ${type}: ${detail}`)
  const again = `  again: npm run chaos -- --scenario ${scenario} --seed ${seed} --kills ${kills}`
  return [head, ...shown, again, `  its folder: ${folder ?? 'removed'}`].join('\n')
}
