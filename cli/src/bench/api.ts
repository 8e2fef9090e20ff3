import { setTimeout as delay } from 'node:timers/promises'
import { AppError, type CityView } from '@pulso/model'
import { startAsker, startBare } from './api/peers.ts'
import { startBoxPeer, startLoad } from './ingest/peers.ts'
import { spawnBox, withBenchFolder } from './process.ts'
import { runMeasures, type MeasureOptions, type Measures } from './measures.ts'
import type { Row } from './rows.ts'
import { median } from './table.ts'

const CONNECTIONS = 32
const WARM_UP_MS = 2_000
/** The virtual city fills in its past first. */
const SETTLE_MS = 10_000
const CALM_RATE_PER_SECOND = 200
const CALM_CONNECTIONS = 8
const INGEST = { connections: 100, sensors: 10_000, ratePerSecond: 20_000 }
/** Measured is what an answer costs, with the client's rate counted as ever. */
const NO_LIMIT = String(Number.MAX_SAFE_INTEGER)

const MEASURES: Measures = {
  zones: benchZones,
  nearest: benchNearest,
  busy: benchBusy,
}

/** `pulso bench api`: what an answer costs, against a route that only returns bytes; and while readings come in. */
export function benchApi(options: MeasureOptions): Promise<void> {
  return runMeasures(MEASURES, options)
}

function benchZones(options: MeasureOptions): Promise<Row[]> {
  return benchAgainstBare(options, { name: 'zones', toPath: () => '/api/v1/zones' })
}

function benchNearest(options: MeasureOptions): Promise<Row[]> {
  const toPath = ({ bounds: [west, south, east, north] }: CityView): string =>
    `/api/v1/parking/nearest?lat=${(south + north) / 2}&lon=${(west + east) / 2}`
  return benchAgainstBare(options, { name: 'nearest', toPath })
}

/** Requests a second, in turn with a bare route whose body has the same size. */
async function benchAgainstBare(
  options: MeasureOptions,
  { name, toPath }: { name: string; toPath: (city: CityView) => string },
): Promise<Row[]> {
  return withBenchFolder(async (folder) => {
    const box = await spawnBox(folder, ['--demo'], { PULSO_LIMIT_HTTP_REQUESTS_PER_SECOND: NO_LIMIT })
    try {
      await delay(SETTLE_MS)
      const path = toPath((await (await fetch(`${box.report.http}/api/v1/city`)).json()) as CityView)
      const answer = await fetch(`${box.report.http}${path}`, { headers: { 'accept-encoding': 'identity' } })
      const { byteLength: bytes } = await answer.arrayBuffer()
      if (!answer.ok) throw new AppError('bench-failed', `${path} answered ${answer.status}`)
      const bare = await startBare(bytes)
      const host = '127.0.0.1'
      const [ours, theirs] = await Promise.all([
        startAsker({ host, port: Number(new URL(box.report.http).port), path, connections: CONNECTIONS }),
        startAsker({ host, port: bare.port, path: '/', connections: CONNECTIONS }),
      ])
      const pairs: { ours: number; theirs: number }[] = []
      for (let run = 0; run < options.runs; run++) {
        const timing = { warmUpMs: WARM_UP_MS, durationMs: options.seconds * 1_000 }
        const [base, own] = [await theirs.run(timing), await ours.run(timing)]
        pairs.push({ theirs: base.answers / base.seconds, ours: own.answers / own.seconds })
        say(
          options,
          `  bare ${whole(base.answers / base.seconds)}/s, ${name} ${whole(own.answers / own.seconds)}/s`,
        )
      }
      await Promise.all([ours.stop(), theirs.stop(), bare.stop()])
      const detail = `${whole(median(pairs.map((pair) => pair.ours)))}/s of ${whole(bytes)} bytes, bare ${whole(median(pairs.map((pair) => pair.theirs)))}/s`
      const values = pairs.map((pair) => pair.ours / pair.theirs)
      return [{ measure: `${name} ÷ bare Fastify`, values, floor: 0.5, aim: 0.8, detail }]
    } finally {
      await box.stop()
    }
  })
}

/** How long `zones` takes while readings come in, against the same box at rest. */
async function benchBusy(options: MeasureOptions): Promise<Row[]> {
  return withBenchFolder(async (folder) => {
    const box = await startBoxPeer(folder, INGEST.sensors, { PULSO_LIMIT_HTTP_REQUESTS_PER_SECOND: NO_LIMIT })
    const load = await startLoad(box, { ...INGEST, inFlight: 256 })
    const { hostname: host, port } = new URL(box.http)
    const asker = await startAsker({
      host,
      port: Number(port),
      path: '/api/v1/zones',
      connections: CALM_CONNECTIONS,
    })
    const values: number[] = []
    let detail = ''
    try {
      const timing = { warmUpMs: WARM_UP_MS, durationMs: options.seconds * 1_000 }
      for (let run = 0; run < options.runs; run++) {
        const idle = await asker.run({ ...timing, ratePerSecond: CALM_RATE_PER_SECOND })
        const sending = load.run({ ...timing, ratePerSecond: INGEST.ratePerSecond })
        const busy = await asker.run({ ...timing, ratePerSecond: CALM_RATE_PER_SECOND })
        const { acknowledged, seconds } = await sending
        values.push(busy.p99Ms / idle.p99Ms)
        detail = `last: p99 ${busy.p99Ms.toFixed(1)} ms under ${whole(acknowledged / seconds)} msg/s, ${idle.p99Ms.toFixed(1)} ms idle`
        say(options, `  ${detail}`)
      }
    } finally {
      await Promise.all([asker.stop(), load.stop()])
      await box.stop()
    }
    return [{ measure: 'zones under ingest ÷ idle, p99', values, floor: 3, aim: 1.5, isCost: true, detail }]
  })
}

function say({ json }: MeasureOptions, line: string): void {
  if (!json) console.error(line)
}

function whole(value: number): string {
  return Math.round(value).toLocaleString('en')
}
