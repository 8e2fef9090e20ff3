import fc from 'fast-check'
import type { CityView, SensorCollection } from '@pulso/model'
import { getJson } from '../support/api.ts'
import { withBox, type RunningBox } from '../support/box.ts'
import { waitFor } from '../support/wait.ts'
import { createHttpCases, type HttpCase, type Vocabulary } from './http-cases.ts'
import { createHttpClient, type HttpClient } from './http-client.ts'
import { listOperations, type OpenapiDocument } from './http-document.ts'
import { createHttpJudge } from './http-judge.ts'
import type { FuzzOptions, FuzzReport } from './report.ts'

/** Under way at once: enough to keep a box busy. */
const LANES = 8
const BATCH = 200
const WARM_AFTER_CASES = 2_000
const MAX_FAULTS = 20

/**
 * Requests made from the box's own description of its interface, sent to a real box with a virtual city in it. Every
 * answer must be what that description says, and none may be our own fault.
 */
export async function fuzzHttp(options: FuzzOptions): Promise<FuzzReport> {
  const startedMs = performance.now()
  const report: FuzzReport = { target: 'http', seed: options.seed, cases: 0, elapsedMs: 0, faults: [] }
  const env = { PULSO_LIMIT_HTTP_REQUESTS_PER_SECOND: '0', PULSO_LOG_LEVEL: 'error' }
  await withBox({ env, args: ['--demo'] }, async (box) => {
    const client = createHttpClient(box.http)
    try {
      await fuzzBox({ box, client, options, report })
    } finally {
      client.close()
    }
    report.endRssBytes = await readRss(box)
  })
  return { ...report, elapsedMs: performance.now() - startedMs }
}

interface Run {
  box: RunningBox
  client: HttpClient
  options: FuzzOptions
  report: FuzzReport
}

async function fuzzBox({ box, client, options, report }: Run): Promise<void> {
  const vocabulary = await readVocabulary(box)
  const document = await getJson<OpenapiDocument>(box, '/openapi.json')
  const judge = createHttpJudge(document)
  const cookie = await logIn(box)
  const cases = createHttpCases(listOperations(document), vocabulary)
  const look = async (each: HttpCase, index: number): Promise<void> => {
    // Half of what needs a session has one.
    const headers = index % 2 === 0 ? { ...each.headers, cookie } : each.headers
    const fault = await client.send({ ...each, headers }).then(
      (answer) => {
        const wrong = judge(each, answer)
        return wrong && `${answer.status}: ${wrong}: ${answer.body.subarray(0, 300).toString()}`
      },
      // What Node refuses to read at all it answers and closes, perhaps while we still write.
      (error: unknown) => (each.url.length > 12_000 ? undefined : String(error)),
    )
    if (fault !== undefined) report.faults.push(describe(index, each, fault))
  }
  for (let batch = 0; options.goesOn(report.cases) && report.faults.length < MAX_FAULTS; batch++) {
    const first = report.cases
    const numRuns = Math.min(BATCH, options.atMost(first))
    const sample = fc.sample(cases, { seed: options.seed + batch, numRuns })
    const lanes = Array.from({ length: LANES }, async (_, lane) => {
      for (let at = lane; at < sample.length; at += LANES) {
        const each = sample[at]
        if (each) await look(each, first + at)
      }
    })
    await Promise.all(lanes)
    report.cases += sample.length
    if (report.cases >= WARM_AFTER_CASES) report.warmRssBytes ??= await readRss(box)
    options.onProgress(report.cases)
  }
  report.faults.splice(MAX_FAULTS)
}

/** What is there to be asked for. */
async function readVocabulary(box: RunningBox): Promise<Vocabulary> {
  const city = await getJson<CityView>(box, '/api/v1/city')
  const { features } = await waitFor(
    async () => {
      const page = await getJson<SensorCollection>(box, '/api/v1/sensors?limit=1000')
      return page.features.some(({ properties }) => properties.time !== null) ? page : undefined
    },
    { what: 'the virtual city’s first reading', timeoutMs: 30_000 },
  )
  const byKind = Object.values(Object.groupBy(features, ({ properties }) => properties.kind))
  const [west, south, east, north] = city.bounds
  const nowMs = Date.now()
  const times = [0, 1, 5, 24, 24 * 7, 24 * 400].map((hours) =>
    new Date(nowMs - hours * 3_600_000).toISOString(),
  )
  return [
    ...city.kinds.flatMap(({ id, metrics, states }) => [
      id,
      ...metrics.map((metric) => metric.id),
      ...states.map((state) => state.id),
    ]),
    ...city.zones.slice(0, 5).map(({ id }) => id),
    ...byKind.flatMap((sensors = []) => sensors.slice(0, 3).map(({ id }) => id)),
    ...times,
    city.bounds.join(','),
    String((west + east) / 2),
    String((south + north) / 2),
    ...[
      '5m',
      '1h',
      '1d',
      'count',
      'min',
      'max',
      'mean',
      'last',
      'share',
      'csv',
      'jsonl',
      'geojson',
      'parquet',
    ],
  ]
}

async function logIn(box: RunningBox): Promise<string> {
  const { username: name = '', password = '' } = box.operator ?? {}
  const answer = await fetch(new URL('/api/v1/session', box.http), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name, password }),
  })
  return (answer.headers.get('set-cookie') ?? '').split(';', 1)[0] ?? ''
}

async function readRss(box: RunningBox): Promise<number> {
  const text = await (await fetch(new URL('/metrics', box.http))).text()
  return Number(/^process_resident_memory_bytes (\S+)/m.exec(text)?.[1] ?? 0)
}

function describe(index: number, { method, url, headers, body }: HttpCase, fault: string): string {
  const sent = `${method} ${url.slice(0, 400)} ${JSON.stringify(headers)} ${(body ?? '').slice(0, 200)}`
  return `case ${index}, ${sent}: ${fault}`
}
