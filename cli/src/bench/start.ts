import { setTimeout as delay } from 'node:timers/promises'
import type { ZonesView } from '@pulso/model'
import { spawnBox, withBenchFolder } from './process.ts'
import { printMeasures } from './table.ts'

export interface BenchOptions {
  runs: number
  json?: true
}

const FIRST_DATA_LIMIT_MS = 10_000
const STOP_LIMIT_MS = 2_000
const LOOK_EVERY_MS = 10

interface Times {
  readyMs: number
  firstDataMs: number
  wholeCityMs: number
  stopMs: number
}

const MEASURES: readonly (readonly [name: string, key: keyof Times, limitMs: number])[] = [
  ['both ports listen', 'readyMs', FIRST_DATA_LIMIT_MS],
  ['first live data', 'firstDataMs', FIRST_DATA_LIMIT_MS],
  ['95 % of the city live', 'wholeCityMs', FIRST_DATA_LIMIT_MS],
  ['Ctrl-C to the end', 'stopMs', STOP_LIMIT_MS],
]

/** `pulso bench start`: the demo on an empty folder, and again on the folder it left. */
export async function benchStart({ runs, json }: BenchOptions): Promise<void> {
  const [first, second]: [Times[], Times[]] = [[], []]
  for (let run = 0; run < runs; run++) {
    await withBenchFolder(async (folder) => {
      first.push(await timeStart(folder))
      second.push(await timeStart(folder))
    })
    if (!json) console.error(`run ${run + 1} of ${runs}`)
  }
  const toMeasures = (name: string, times: readonly Times[]) =>
    MEASURES.map(([what, key, limitMs]) => ({
      name: `${name}: ${what}`,
      unit: 'ms',
      values: times.map((run) => run[key]),
      against: { name: 'limit', value: limitMs },
    }))
  printMeasures([...toMeasures('first start', first), ...toMeasures('second start', second)], json)
}

async function timeStart(folder: string): Promise<Times> {
  const startedAt = performance.now()
  const box = await spawnBox(folder, ['--demo'])
  const [firstDataMs, wholeCityMs] = [
    await whenLive(box.report.http, startedAt, 0),
    await whenLive(box.report.http, startedAt, 0.95),
  ]
  return { readyMs: box.readyMs, firstDataMs, wholeCityMs, stopMs: await box.stop() }
}

/** How long until more than this share of the sensors is fresh. */
async function whenLive(http: string, startedAt: number, share: number): Promise<number> {
  for (;;) {
    const { city } = (await (await fetch(`${http}/api/v1/zones`)).json()) as ZonesView
    const [all, fresh] = city.reduce(
      ([sum, live], { sensors, freshness }) => [sum + sensors, live + freshness.fresh],
      [0, 0],
    )
    if (fresh > all * share) return performance.now() - startedAt
    await delay(LOOK_EVERY_MS)
  }
}
