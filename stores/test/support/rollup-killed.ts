/** A process that stores aggregates of one hour, begins to work them out anew, and is killed meanwhile. */
import { HOUR_MS } from '@pulso/model'
import { openDuckdbReadings } from '@pulso/stores/readings'
import { insert, reading } from '../readings-conformance.ts'
import { createKinds } from './kinds.ts'

const [, , file = '', from = ''] = process.argv
const fromMs = Number(from)
const readings = await openDuckdbReadings({ file, kinds: createKinds() })
const { rollups } = readings
await rollups.putPlaces([{ sensorId: 's1', kind: 'bin', zone: 'a', holdMs: HOUR_MS }])
await insert(readings, 1, [reading('s1', 0, { level: 1, lid: 'open' })])
const plan = {
  kind: 'bin',
  resolution: '1h',
  buckets: [{ fromMs, toMs: fromMs + HOUR_MS }],
  nowMs: fromMs + 2 * HOUR_MS,
} as const
await rollups.rollUp(plan)
await insert(readings, 2, [reading('s1', 60_000, { level: 2 })])
process.stdout.write('stored\n')
const again = async (): Promise<void> => {
  await rollups.rollUp(plan)
  await again()
}
await again()
