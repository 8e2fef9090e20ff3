import { setTimeout as delay } from 'node:timers/promises'
import type { Scenario } from './scenario.ts'

/** Half of what is sent was sent before, and connections break with acknowledgements on their way. */
export const duplicatesScenario: Scenario = {
  name: 'duplicates',
  title: 'devices that repeat themselves and lose acknowledgements, and the box killed meanwhile',
  skip: () => false,
  async run({ kills, longestLoadMs, createTrial }) {
    const mix = { duplicate: 350, correction: 80, 'fill-in': 80, late: 80, 'exactly-once': 150, untimed: 80 }
    const trial = await createTrial({ mix })
    const { random, outcome, publisher } = trial
    await trial.start()
    while (outcome.kills < kills) {
      for (let cut = random.between(1, 4); cut > 0; cut--) {
        await trial.load(random.between(50, longestLoadMs / 2))
        publisher.cutSome(random.unit())
        await delay(random.between(0, 200))
      }
      await trial.kill()
      await trial.start()
      await trial.check()
      if (outcome.kills < kills) await trial.start()
    }
  },
}
