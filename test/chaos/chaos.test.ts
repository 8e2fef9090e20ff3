import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { runScenario } from './run-scenario.ts'
import { SCENARIOS } from './scenarios/index.ts'

/** The short form of `npm run chaos`: every scenario once, so that none of them rots. */
describe('nothing acknowledged is lost or stored twice by', () => {
  for (const scenario of SCENARIOS) {
    it(scenario.title, { skip: scenario.skip() }, async () => {
      const said: string[] = []
      const report = await runScenario(scenario, {
        kills: 1,
        seed: 7,
        messagesPerSecond: 1_500,
        longestLoadMs: 500,
        say: (text) => said.push(text),
      })
      assert.deepEqual(report.problems, [], said.join('\n'))
      assert.ok(report.kills > 0 && report.checks > 0)
      // How many depends on the machine; that it was some shows that the run did anything at all.
      assert.ok(report.acknowledged > 10, `only ${report.acknowledged} messages were acknowledged`)
      assert.ok(report.readings > 10, `only ${report.readings} readings were compared`)
    })
  }
})
