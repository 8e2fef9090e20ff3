import { AppError } from '@pulso/model'
import { measureCpuPerMessage, measureIdleConnection } from './ingest/costs.ts'
import { measureKept, measureRaw, type Timing } from './ingest/kept.ts'
import { measureSustained } from './ingest/sustained.ts'
import { runMeasures, type MeasureOptions, type Measures } from './measures.ts'
import type { Row } from './rows.ts'
import { median } from './table.ts'

const FEW = { connections: 100, sensors: 100 }
const MANY = { connections: 10_000, sensors: 10_000 }
const WARM_UP_MS = 3_000

const MEASURES: Measures = {
  kept: benchKept,
  sustained: benchSustained,
  connections: benchConnections,
  memory: benchMemory,
  sensors: benchSensors,
}

/** `pulso bench ingest`: what a promise kept costs, against a broker that keeps nothing. */
export function benchIngest(options: MeasureOptions): Promise<void> {
  return runMeasures(MEASURES, options)
}

function timing({ seconds }: MeasureOptions): Timing {
  return { warmUpMs: WARM_UP_MS, durationMs: seconds * 1_000 }
}

async function benchKept(options: MeasureOptions): Promise<Row[]> {
  const ratios: number[] = []
  const drains: number[] = []
  const [ours, theirs]: [number[], number[]] = [[], []]
  for (let run = 0; run < options.runs; run++) {
    const raw = await measureRaw(FEW, timing(options))
    const kept = await measureKept(FEW, timing(options))
    say(
      options,
      `  raw ${whole(raw.perSecond)}/s, kept ${whole(kept.perSecond)}/s, ${kept.depth} left, drained in ${whole(kept.drainMs)} ms`,
    )
    ratios.push(kept.perSecond / raw.perSecond)
    drains.push(kept.drainMs / 1_000)
    ours.push(kept.perSecond)
    theirs.push(raw.perSecond)
  }
  const detail = `${whole(median(ours))}/s acknowledged and kept, raw Aedes ${whole(median(theirs))}/s`
  return [
    { measure: 'kept ÷ raw Aedes', values: ratios, floor: 0.55, aim: 0.7, detail },
    {
      measure: 'journal drained after',
      values: drains,
      floor: 10,
      aim: 10,
      isCost: true,
      unit: 's',
      detail: 'all that was acknowledged is stored, each once',
    },
  ]
}

/** From the fastest share of the peer downwards, until a box holds it for a minute. */
const SHARES = [1, 0.9, 0.8, 0.7, 0.6, 0.5, 0.45, 0.4, 0.35, 0.3, 0.25, 0.2, 0.15, 0.1]
const TRIAL_MS = 12_000
const SUSTAINED_MS = 60_000

async function benchSustained(options: MeasureOptions): Promise<Row[]> {
  const raw = await measureRaw(FEW, timing(options))
  const { connections } = FEW
  for (const share of SHARES) {
    const ratePerSecond = raw.perSecond * share
    const isTrialSustained = (await measureSustained({ connections, ratePerSecond, durationMs: TRIAL_MS }))
      .isSustained
    say(
      options,
      `  ${whole(ratePerSecond)}/s for ${TRIAL_MS / 1_000} s: ${isTrialSustained ? 'held' : 'not held'}`,
    )
    if (!isTrialSustained) continue
    const { isSustained, perSecond, depths, latency } = await measureSustained({
      connections,
      ratePerSecond,
      durationMs: SUSTAINED_MS,
    })
    say(
      options,
      `  ${whole(ratePerSecond)}/s for ${SUSTAINED_MS / 1_000} s: ${isSustained ? 'held' : 'not held'}, journal at most ${Math.max(...depths)}`,
    )
    if (!isSustained) continue
    const detail = `${whole(perSecond)}/s for 60 s, raw Aedes ${whole(raw.perSecond)}/s; PUBACK ${latency.medianMs.toFixed(1)} ms median, ${whole(latency.p99Ms)} ms 99 %; journal ≤ ${Math.max(...depths)}`
    return [
      {
        measure: 'end to end ÷ raw Aedes',
        values: [perSecond / raw.perSecond],
        floor: 0.35,
        aim: 0.5,
        detail,
      },
    ]
  }
  throw new AppError('bench-failed', 'The box did not hold even a tenth of what raw Aedes acknowledges')
}

async function benchConnections(options: MeasureOptions): Promise<Row[]> {
  const ratios: number[] = []
  let detail = ''
  for (let run = 0; run < options.runs; run++) {
    const few = await measureKept(FEW, timing(options))
    const many = await measureKept(MANY, timing(options))
    detail = `last: ${whole(many.perSecond)}/s with 10,000, ${whole(few.perSecond)}/s with 100`
    say(options, `  ${detail}`)
    ratios.push(many.perSecond / few.perSecond)
  }
  return [{ measure: '10,000 connections ÷ 100', values: ratios, floor: 0.6, aim: 0.8, detail }]
}

async function benchMemory({ runs }: MeasureOptions): Promise<Row[]> {
  const values: number[] = []
  for (let run = 0; run < Math.min(runs, 3); run++) values.push((await measureIdleConnection()) / 1_024)
  return [
    {
      measure: 'memory per idle connection',
      values,
      floor: 30,
      aim: 15,
      isCost: true,
      unit: 'KB',
      detail: '10,000 of them',
    },
  ]
}

async function benchSensors(options: MeasureOptions): Promise<Row[]> {
  const ratios: number[] = []
  let detail = ''
  for (let run = 0; run < Math.min(options.runs, 3); run++) {
    const few = await measureCpuPerMessage(1_000)
    const many = await measureCpuPerMessage(100_000)
    detail = `last: ${many.toFixed(1)} µs a message with 100,000 sensors, ${few.toFixed(1)} µs with 1,000`
    say(options, `  ${detail}`)
    ratios.push(many / few)
  }
  return [
    { measure: 'CPU, 100,000 sensors ÷ 1,000', values: ratios, floor: 1.5, aim: 1.1, isCost: true, detail },
  ]
}

function say({ json }: MeasureOptions, line: string): void {
  if (!json) console.error(line)
}

function whole(value: number): string {
  return Math.round(value).toLocaleString('en')
}
