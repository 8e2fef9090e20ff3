import { setTimeout as delay } from 'node:timers/promises'
import { startInfluxd, type Influxd } from '../../../stores/test/support/influxd.ts'
import { skipWithout } from '../../support/programs.ts'
import { storedInInflux } from '../support/stored.ts'
import type { Trial } from '../support/trial.ts'
import type { Scenario } from './scenario.ts'

const DATABASE = 'chaos'

/** The readings on a server of their own, which dies or falls silent while the journal goes on taking messages. */
export const influxdbScenario: Scenario = {
  name: 'influxdb',
  title: 'InfluxDB killed, or stopped for a while (SIGSTOP), and the box killed meanwhile',
  skip: () => skipWithout('influxd'),
  async run({ kills, longestLoadMs, createTrial }) {
    const influxd = await startInfluxd()
    try {
      const env = {
        PULSO_READINGS: 'influxdb',
        PULSO_INFLUX_VERSION: '1',
        PULSO_INFLUX_URL: influxd.url,
        PULSO_INFLUX_BUCKET: DATABASE,
      }
      const stored = storedInInflux({ url: influxd.url, database: DATABASE })
      const trial = await createTrial({ env, stored })
      const { random, outcome } = trial
      await trial.start()
      while (outcome.kills < kills) {
        await trial.load(random.between(50, longestLoadMs))
        await random.pick([killInfluxd, stopInfluxd, killBoth])(trial, influxd)
        await trial.load(random.between(50, longestLoadMs))
        await trial.kill()
        await trial.start()
        await trial.check()
        if (outcome.kills < kills) await trial.start()
      }
    } finally {
      await influxd.stop()
    }
  },
}

async function killInfluxd(trial: Trial, influxd: Influxd): Promise<void> {
  trial.say('InfluxDB is killed')
  await influxd.kill()
  await trial.load(trial.random.between(200, 2_500))
  await influxd.start()
}

async function stopInfluxd(trial: Trial, influxd: Influxd): Promise<void> {
  trial.say('InfluxDB stands still')
  influxd.signal('SIGSTOP')
  await trial.load(trial.random.between(200, 2_500))
  // The box is killed with a request open that InfluxDB will answer to nobody.
  if (trial.random.chance(0.5)) {
    await trial.kill()
    influxd.signal('SIGCONT')
    await trial.start()
  } else influxd.signal('SIGCONT')
}

async function killBoth(trial: Trial, influxd: Influxd): Promise<void> {
  trial.say('both are killed')
  await Promise.all([influxd.kill(), trial.kill()])
  const box = trial.spawn()
  // It starts without its InfluxDB, and takes messages.
  await box.listening
  await delay(trial.random.between(0, 1_500))
  await influxd.start()
  await box.untilReady()
}
