import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { skipWithout } from '../../support/programs.ts'
import { waitFor } from '../../support/wait.ts'
import { createMosquittoServer, type MosquittoServer } from '../../support/mosquitto-server.ts'
import type { Trial } from '../support/trial.ts'
import { createWitness, type Witness } from '../support/witness.ts'
import type { Scenario } from './scenario.ts'

/**
 * Every message another one, so that it is known again behind the broker; and nothing that depends on what was sent
 * before, since a killed Mosquitto forgets what it has acknowledged.
 */
const MIX = { late: 100, batch: 80, 'exactly-once': 100 }

/** How long there must be no delivery before there is none to come. */
const QUIET_MS = 1_500
const LIMIT_MS = 60_000

export const sourceScenario: Scenario = {
  name: 'source',
  title: 'a Mosquitto that the box reads from killed and restarted, and the box killed while Mosquitto lives',
  skip: () => skipWithout('mosquitto'),
  async run({ kills, longestLoadMs, folder, createTrial, say }) {
    const mosquitto = await createMosquittoServer(join(folder, 'mosquitto'), ['max_queued_messages 0'])
    await mosquitto.start()
    let trial: Trial | undefined
    const witness = await createWitness({
      brokerPort: mosquitto.port,
      onAcknowledged: (message) => trial?.ledger.acknowledged(message),
    })
    /** Since the last check: then what is missing may be Mosquitto's fault. */
    let isMosquittoKilled = false
    try {
      const sources = join(folder, 'sources.json')
      const source = { name: 'city', url: `mqtt://127.0.0.1:${witness.port}`, topics: ['pulso/#'], qos: 2 }
      writeFileSync(sources, JSON.stringify([source]))
      trial = await createTrial({
        env: { PULSO_SOURCES: sources },
        mix: MIX,
        publishTo: {
          port: mosquitto.port,
          onPublished: (message) => witness.published(message),
          settled: () => untilTaken(witness, isMosquittoKilled),
        },
      })
      const { random, outcome } = trial
      await trial.start()
      await untilSubscribed(trial, witness)
      while (outcome.kills < kills) {
        await trial.load(random.between(50, longestLoadMs))
        isMosquittoKilled = random.chance(0.5)
        if (isMosquittoKilled) await killMosquitto(trial, mosquitto)
        await trial.load(random.between(50, longestLoadMs))
        await trial.kill()
        // What arrives meanwhile waits in Mosquitto's session.
        await trial.load(random.between(50, longestLoadMs))
        // A slow start must not become a flood.
        trial.publisher.pause()
        await trial.start()
        await trial.check()
        // Or the next round, with a Mosquitto that lives, would wait for them.
        if (isMosquittoKilled) say(`Mosquitto has acknowledged and lost ${witness.giveUp()} messages`)
        if (outcome.kills < kills) await trial.start()
      }
    } finally {
      trial?.publisher.stop()
      await trial?.box().end('SIGKILL')
      await witness.close()
      await mosquitto.kill()
    }
  },
}

async function killMosquitto(trial: Trial, mosquitto: MosquittoServer): Promise<void> {
  trial.say('Mosquitto is killed')
  trial.outcome.kills++
  await mosquitto.kill()
  await trial.load(trial.random.between(0, 1_000))
  await mosquitto.start()
}

/** Before that Mosquitto has no session that could keep anything. */
async function untilSubscribed(trial: Trial, witness: Witness): Promise<void> {
  trial.publisher.resume()
  await waitFor(() => witness.delivered() > 0, { what: 'the source to be subscribed', timeoutMs: LIMIT_MS })
}

/**
 * Everything that Mosquitto holds has been delivered and acknowledged: with a Mosquitto that lived, that is all that it
 * acknowledged; with a killed one, what is left of it.
 */
async function untilTaken(witness: Witness, mayBeLost: boolean): Promise<void> {
  let [before, sinceMs] = [-1, performance.now()]
  await waitFor(
    () => {
      if (!mayBeLost) return witness.waiting() === 0
      if (witness.delivered() !== before) [before, sinceMs] = [witness.delivered(), performance.now()]
      return performance.now() - sinceMs > QUIET_MS
    },
    { what: `the source to take all; ${witness.waiting()} messages are missing`, timeoutMs: LIMIT_MS },
  )
}
