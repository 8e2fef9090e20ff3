/**
 * The readers' own process, so that they share no event loop with what is measured. It is told what to do as lines of
 * JSON on its standard input and answers each with a line.
 */
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { openReaders, type ReadersOptions } from '@pulso/simulators'
import type { ReadersTask } from './peers.ts'

const lines = createInterface({ input: process.stdin })
const [first] = (await once(lines, 'line')) as [string]
const readers = await openReaders(JSON.parse(first) as ReadersOptions)
answer({ connected: true })
for await (const line of lines) {
  const task = JSON.parse(line) as ReadersTask
  if (task.expect === undefined) answer(readers.bytes())
  else {
    const arriving = readers.expect(task.expect, task.timeoutMs)
    // What is to be awaited may be sent from now on.
    answer({ waiting: true })
    answer(await arriving)
  }
}
readers.close()

function answer(message: object): void {
  process.stdout.write(`${JSON.stringify(message)}\n`)
}
