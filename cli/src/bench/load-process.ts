/**
 * The load generator's own process, so that it shares no event loop with what is measured. It is told what to do as
 * lines of JSON on its standard input and answers each with a line.
 */
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { openLoad, type LoadOptions, type RunOptions } from '@pulso/simulators'

const lines = createInterface({ input: process.stdin })
const [first] = (await once(lines, 'line')) as [string]
const load = await openLoad(JSON.parse(first) as LoadOptions)
answer({ connected: true })
for await (const line of lines) {
  answer(await load.run(JSON.parse(line) as RunOptions))
}
load.close()

function answer(message: object): void {
  process.stdout.write(`${JSON.stringify(message)}\n`)
}
