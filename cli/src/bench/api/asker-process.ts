/** The questions' own process; told what to do as lines of JSON, it answers each with a line. */
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { openAsker, type AskerOptions, type AskRun } from './asker.ts'

const lines = createInterface({ input: process.stdin })
const [first] = (await once(lines, 'line')) as [string]
const asker = await openAsker(JSON.parse(first) as AskerOptions)
answer({ connected: true })
for await (const line of lines) answer(await asker.run(JSON.parse(line) as AskRun))
asker.close()

function answer(message: object): void {
  process.stdout.write(`${JSON.stringify(message)}\n`)
}
