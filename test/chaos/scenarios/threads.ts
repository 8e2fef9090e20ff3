import { setTimeout as delay } from 'node:timers/promises'
import { evaluateInThread, INSPECT, THREADS } from '../support/inspector.ts'
import type { Trial } from '../support/trial.ts'
import type { Scenario } from './scenario.ts'

/** How a thread may end: by an error that nobody catches, in the middle of something, or by leaving. */
const ENDINGS = [
  "setTimeout(() => { throw new Error('chaos') }, 0)",
  "Promise.reject(new Error('chaos'))",
  "setImmediate(() => process.nextTick(() => { throw new Error('chaos') }))",
  'process.exit(7)',
] as const

const END_LIMIT_MS = 10_000

export const threadsScenario: Scenario = {
  name: 'threads',
  title: 'a thread of the box made to crash through Node’s debugger: the box ends with 1, nothing is lost',
  skip: () => false,
  async run({ kills, longestLoadMs, createTrial }) {
    const trial = await createTrial({ nodeArgs: [INSPECT] })
    const { random, outcome } = trial
    await trial.start()
    while (outcome.kills < kills) {
      await trial.load(random.between(50, longestLoadMs))
      await crashThread(trial)
      await trial.start()
      await trial.check()
      if (outcome.kills < kills) await trial.start()
    }
  },
}

async function crashThread(trial: Trial): Promise<void> {
  const { random, outcome, ledger, say } = trial
  const box = trial.box()
  const [thread, expression] = [random.pick(THREADS), random.pick(ENDINGS)]
  say(`${thread}: ${expression}`)
  outcome.kills++
  ledger.round = outcome.kills
  const limit = delay(END_LIMIT_MS, undefined, { ref: false })
  const evaluated = evaluateInThread(box, { thread, expression }).catch((error: unknown) => {
    if (box.isRunning()) throw error
  })
  await Promise.race([evaluated, limit])
  const end = await Promise.race([box.ended, limit])
  if (end?.code === 1) return
  // DuckDB's addon aborts the process when its thread goes in the middle of a query: an end by itself all the same.
  if (thread === 'ingest-thread' && end?.signal === 'SIGABRT' && box.log().includes('Napi::Error')) {
    say('DuckDB’s addon has aborted the process')
    return
  }
  const found = end ? `code ${end.code}, signal ${end.signal}` : 'a box that goes on'
  trial.fail('wrong-end', `${thread} crashed by ${expression}: ${found}\n${box.log().slice(-3_000)}`)
}
