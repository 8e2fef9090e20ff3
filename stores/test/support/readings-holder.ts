/** A process that keeps one reading, says so, and holds the file open until it is killed. */
import { openDuckdbReadings } from '@pulso/stores/readings'
import { insert, reading } from '../readings-conformance.ts'
import { createKinds } from './kinds.ts'

const [, , file = ''] = process.argv
const readings = await openDuckdbReadings({ file, kinds: createKinds() })
await insert(readings, 1, [reading('s1', 0, { level: 1 })])
process.stdout.write('kept\n')
setInterval(() => undefined, 60_000)
