import type { SensorDetail } from '@pulso/model'
import { createRecomputation, type ShownAggregates } from './aggregates.ts'
import { LIGHTING } from './kinds.ts'
import type { Expected, Ledger } from './ledger.ts'
import type { Values } from './message.ts'
import type { Stored, StoredReading, StoredRegistry } from './stored.ts'

export type ProblemType =
  | 'lost'
  | 'doubled'
  | 'wrong-value'
  | 'invented'
  | 'wrong-state'
  | 'wrong-aggregate'
  | 'wrong-quarantine'
  | 'not-acknowledged'
  | 'not-drained'
  | 'acknowledged-while-failing'
  | 'wrong-end'
  | 'not-ready'
  | 'no-reason'

/** Something that must not be, with what is needed to look at it: the message's number names it under the seed. */
export interface Problem {
  type: ProblemType
  detail: string
}

export interface Comparison {
  problems: Problem[]
  /** Rows looked at. */
  readings: number
  /** QoS 1 without a device time, sent twice because the first PUBACK was lost: nothing tells it from a second reading. */
  indistinguishable: number
  /** QoS 0 that did not arrive, which it may. */
  bestEffortLost: number
}

/** What the box kept, and what it showed before it was ended. */
export interface Found {
  stored: Stored
  registry: StoredRegistry
  shown: readonly SensorDetail[]
  aggregates: readonly ShownAggregates[]
}

/** The newest of each metric in the readings, by which the current state is judged. */
type Newest = Map<string, Map<string, { timeMs: number; value: unknown }>>

/**
 * Compares what the devices know with what is stored: every acknowledged reading is there once, as it was said last;
 * nothing is there that nobody sent; the states are the newest of the readings, and the aggregates what these rows come
 * to; nonsense is in quarantine.
 */
export async function compare(
  ledger: Ledger,
  { stored, registry, shown, aggregates }: Found,
): Promise<Comparison> {
  const problems: Problem[] = []
  const add = (type: ProblemType, detail: string): void => void problems.push({ type, detail })
  const seen = new Set<string>()
  const untimedRows = new Map<number, number>()
  const newest: Newest = new Map()
  const recomputation = createRecomputation()

  const takeTimed = (reading: StoredReading): void => {
    const { sensorId, timeMs, values } = reading
    const expected = ledger.accounts.get(sensorId)?.readings.get(timeMs)
    if (!expected) add('invented', `nobody sent ${describe(reading)}`)
    else if (!isSame(expected.values, values)) {
      add('wrong-value', `${describe(reading)}, but was told ${explain(expected)}`)
    }
  }
  await stored.forEachReading((reading) => {
    const key = `${reading.sensorId} ${reading.timeMs}`
    if (seen.has(key)) add('doubled', `twice with the same time: ${describe(reading)}`)
    seen.add(key)
    remember(newest, reading)
    recomputation.add(reading)
    const use = ledger.accounts.get(reading.sensorId)?.sensor.use
    if (use === 'timed' || use === 'best-effort') takeTimed(reading)
    else if (use === 'untimed') {
      const serial = Number(reading.values[LIGHTING.serialMetric])
      untimedRows.set(serial, (untimedRows.get(serial) ?? 0) + 1)
    } else add('invented', `nobody sent ${describe(reading)}`)
  })

  let bestEffortLost = 0
  for (const { sensor, readings } of ledger.accounts.values()) {
    for (const [timeMs, expected] of readings) {
      if (seen.has(`${sensor.id} ${timeMs}`)) continue
      if (sensor.use === 'best-effort') bestEffortLost++
      else if (expected.isAcknowledged) add('lost', `${sensor.id} at ${timeMs}: ${explain(expected)}`)
    }
  }
  const indistinguishable = compareUntimed({ ledger, rows: untimedRows, add })
  compareStates(newest, { registry, shown, add })
  for (const difference of recomputation.differences(aggregates)) add('wrong-aggregate', difference)
  for (const [sensorId, { acknowledged, sends }] of ledger.nonsense) {
    const count = registry.quarantined[sensorId] ?? 0
    if (count >= acknowledged && count <= sends) continue
    const wanted = `${acknowledged} acknowledged, ${sends} sent`
    add('wrong-quarantine', `${sensorId} has ${count} entries in quarantine; ${wanted}`)
  }
  return { problems, readings: seen.size, indistinguishable, bestEffortLost }
}

type Add = (type: ProblemType, detail: string) => void

function compareUntimed(options: { ledger: Ledger; rows: ReadonlyMap<number, number>; add: Add }): number {
  const { ledger, rows, add } = options
  let indistinguishable = 0
  for (const [serial, { sensorId, sends, isAcknowledged, message, round }] of ledger.untimed) {
    const count = rows.get(serial) ?? 0
    const what = `${sensorId} without a time, ${serial} (message ${message}, after kill ${round}, sent ${sends} times)`
    if (count === 0 && isAcknowledged) add('lost', what)
    else if (count > sends) add('doubled', `${count} times: ${what}`)
    else if (count > 1) indistinguishable += count - 1
  }
  for (const serial of rows.keys()) if (!ledger.untimed.has(serial)) add('invented', `untimed ${serial}`)
  return indistinguishable
}

/** A state is the newest value of each metric: in the registry, and as the API showed it before the box was ended. */
function compareStates(
  newest: Newest,
  { registry, shown, add }: { registry: StoredRegistry; shown: readonly SensorDetail[]; add: Add },
): void {
  for (const [sensorId, metrics] of newest) {
    const state = registry.states.get(sensorId)
    for (const [name, { timeMs, value }] of metrics) {
      const kept = state?.values[name]
      if (kept?.timeMs === timeMs && kept.value === value) continue
      const found = kept ? `${kept.value} of ${kept.timeMs}` : 'nothing'
      add(
        'wrong-state',
        `${sensorId} ${name}: state is ${found}, the newest is ${String(value)} of ${timeMs}`,
      )
    }
  }
  for (const { id, properties } of shown) {
    for (const [name, { value, time }] of Object.entries(properties.metrics)) {
      const wanted = newest.get(id)?.get(name)
      if (wanted?.timeMs === Date.parse(time) && wanted.value === value) continue
      const best = wanted ? `${String(wanted.value)} of ${wanted.timeMs}` : 'nothing'
      add(
        'wrong-state',
        `${id} ${name}: the API showed ${value} of ${Date.parse(time)}, the newest is ${best}`,
      )
    }
  }
}

function remember(newest: Newest, { sensorId, timeMs, values }: StoredReading): void {
  let metrics = newest.get(sensorId)
  if (!metrics) newest.set(sensorId, (metrics = new Map<string, { timeMs: number; value: unknown }>()))
  for (const name in values) {
    const known = metrics.get(name)
    if (!known || known.timeMs < timeMs) metrics.set(name, { timeMs, value: values[name] })
  }
}

function isSame(expected: Values, found: Values): boolean {
  const names = Object.keys(expected)
  return names.length === Object.keys(found).length && names.every((name) => expected[name] === found[name])
}

function describe({ sensorId, timeMs, values }: StoredReading): string {
  return `${sensorId} at ${timeMs} is stored as ${JSON.stringify(values)}`
}

function explain({ values, message, round }: Expected): string {
  return `${JSON.stringify(values)} (message ${message}, sent after kill ${round})`
}
