/** Keeps batches 1 to 3 in the file that it is told, says so, and waits to be killed. */
import { openDuckdbReadings } from '@pulso/stores/readings'
import { insert, reading } from '../readings-conformance.ts'
import { createKinds } from './kinds.ts'

const readings = await openDuckdbReadings({ file: process.argv[2] ?? '', kinds: createKinds() })
for (const position of [1, 2, 3])
  await insert(readings, position, [reading('s1', position * 1_000, { level: position })])
process.stdout.write('kept\n')
setInterval(() => undefined, 1_000)
