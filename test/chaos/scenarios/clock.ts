import { skipWithout } from '../../support/programs.ts'
import { createFaults } from '../support/faults.ts'
import type { Scenario } from './scenario.ts'

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000

/** What a wrong time server, a dead battery or a careless person does to a clock. */
const JUMPS_MS = [-2, 2, -9, 30, -30, 61, -61]
  .map((minutes) => minutes * MINUTE_MS)
  .concat(3 * DAY_MS, -3 * DAY_MS)

export const clockScenario: Scenario = {
  name: 'clock',
  title: 'the box’s clock jumping forward and back under load, with kills in between',
  skip: () => skipWithout('gcc'),
  async run({ kills, longestLoadMs, folder, createTrial, say }) {
    const faults = createFaults({ folder, only: '' })
    try {
      // Wide limits: it is the order and the identity of readings that must stand the jumps, not the clock's check.
      const env = { ...faults.env, PULSO_CLOCK_PAST: '3650d', PULSO_CLOCK_FUTURE: '3650d' }
      const trial = await createTrial({ env })
      const { random, outcome } = trial
      await trial.start()
      while (outcome.kills < kills) {
        for (let jump = random.between(1, 4); jump > 0; jump--) {
          await trial.load(random.between(50, longestLoadMs / 2))
          const offsetMs = random.chance(0.2) ? 0 : random.pick(JUMPS_MS) + random.between(-5_000, 5_000)
          say(`the clock is ${offsetMs} ms off`)
          faults.setClockOffset(offsetMs)
        }
        await trial.load(random.between(50, longestLoadMs / 2))
        await trial.kill()
        await trial.start()
        await trial.check()
        if (outcome.kills < kills) await trial.start()
      }
    } finally {
      faults.close()
    }
  },
}
