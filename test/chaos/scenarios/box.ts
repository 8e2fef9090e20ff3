import { setTimeout as delay } from 'node:timers/promises'
import type { Scenario } from './scenario.ts'

/** The plain case, and the one that matters most: the process is gone, the disk is not. */
export const boxScenario: Scenario = {
  name: 'box',
  title: 'the box killed at random moments, also while it starts, and restarted on the same folder',
  skip: () => false,
  async run({ kills, longestLoadMs, createTrial }) {
    const trial = await createTrial()
    const { random, outcome } = trial
    await trial.start()
    while (outcome.kills < kills) {
      await trial.load(random.between(50, longestLoadMs))
      await trial.kill()
      // Killed again while it opens its stores, migrates, or catches up.
      while (random.chance(0.25) && outcome.kills < kills) {
        trial.spawn()
        await delay(random.between(0, 1_500))
        await trial.kill()
      }
      await trial.start()
      await trial.check()
      if (outcome.kills < kills) await trial.start()
    }
  },
}
