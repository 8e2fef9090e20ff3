/** `npm run fuzz`: the long run. Ends with 1 on any fault. */
import { parseArgs } from 'node:util'
import { fuzzHttp } from './http-fuzz.ts'
import { fuzzIngest } from './ingest-fuzz.ts'
import { untilCases, untilSeconds, type FuzzReport } from './report.ts'
import { fuzzSockets } from './socket-fuzz.ts'

const HELP = `Sends malformed packets to the broker's sockets, malformed payloads through ingest, and odd requests to every HTTP route.

  npm run fuzz -- [--cases 1000000 | --seconds 60] [--seed 1] [--target sockets|ingest|http] [--json]

Each target gets all of the cases, or all of the time. The same seed gives the same cases.`

const TARGETS = { ingest: fuzzIngest, sockets: fuzzSockets, http: fuzzHttp }
const PROGRESS_EVERY_MS = 5_000

const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: '1000000' },
    seconds: { type: 'string' },
    seed: { type: 'string', default: '1' },
    target: { type: 'string' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) process.stdout.write(`${HELP}\n`)
else process.exitCode = await run()

async function run(): Promise<number> {
  const chosen = Object.entries(TARGETS).filter(
    ([name]) => values.target === undefined || name === values.target,
  )
  if (chosen.length === 0)
    throw new Error(`--target is sockets, ingest or http, not '${values.target ?? ''}'`)
  const reports: FuzzReport[] = []
  for (const [name, fuzz] of chosen) {
    const until =
      values.seconds === undefined ? untilCases(toCount(values.cases)) : untilSeconds(toCount(values.seconds))
    const report = await fuzz({ seed: toCount(values.seed), ...until, onProgress: createProgress(name) })
    reports.push(report)
    process.stderr.write(`${describe(report)}\n`)
  }
  if (values.json) process.stdout.write(`${JSON.stringify(reports)}\n`)
  return reports.some(({ faults }) => faults.length > 0) ? 1 : 0
}

function createProgress(name: string): (cases: number) => void {
  let lastMs = performance.now()
  return (cases) => {
    if (performance.now() - lastMs < PROGRESS_EVERY_MS) return
    lastMs = performance.now()
    process.stderr.write(`  ${name}: ${cases} cases\n`)
  }
}

function describe({ target, seed, cases, elapsedMs, warmRssBytes, endRssBytes, faults }: FuzzReport): string {
  const rate = Math.round((cases * 1_000) / elapsedMs)
  const toMb = (bytes: number | undefined): string =>
    bytes === undefined ? '–' : String(Math.round(bytes / 1e6))
  const memory = `resident ${toMb(warmRssBytes)} MB warm, ${toMb(endRssBytes)} MB at the end`
  const head = `${target}: ${cases} cases of seed ${seed}, ${rate} a second, ${memory}, ${faults.length} faults`
  return [head, ...faults.map((fault) => `  ${fault}`)].join('\n')
}

function toCount(text: string): number {
  const count = Number(text)
  if (!Number.isInteger(count) || count < 1)
    throw new Error(`expected a whole number from 1 on, not '${text}'`)
  return count
}
