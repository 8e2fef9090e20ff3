import { mkdirSync, mkdtempSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { mountSmallDisk, skipWithoutMount, type SmallDisk } from '../support/disk-space.ts'
import { createSeededRandom } from '../support/random.ts'
import type { Trial } from '../support/trial.ts'
import { untilNotReady } from './fsync.ts'
import type { Scenario } from './scenario.ts'

/** Enough for the longest run, and for the room that the journal leaves free. */
const SIZE_MB = 1_024

export const diskFullScenario: Scenario = {
  name: 'disk-full',
  title:
    'the data folder’s file system filled to the last byte, the box killed meanwhile, and space made again',
  skip() {
    const folder = mkdtempSync(join(tmpdir(), 'pulso-mount-'))
    try {
      return skipWithoutMount(folder)
    } finally {
      rmdirSync(folder)
    }
  },
  async run({ kills, seed, longestLoadMs, folder, createTrial }) {
    const path = join(folder, 'disk')
    mkdirSync(path)
    const disk = mountSmallDisk(path, SIZE_MB)
    try {
      // With room left for the other stores, and down to the last byte.
      const freeBytes = createSeededRandom(seed).pick([0, 32_000_000])
      const env = { PULSO_LIMIT_JOURNAL_FREE_BYTES: String(freeBytes) }
      const trial = await createTrial({ dataDir: join(path, 'data'), env })
      const { random, outcome } = trial
      await trial.start()
      while (outcome.kills < kills) {
        await trial.load(random.between(50, longestLoadMs))
        await fillAndFree(trial, disk)
        await trial.load(random.between(50, longestLoadMs))
        await trial.check()
        if (outcome.kills < kills) await trial.start()
      }
      await trial.close()
    } finally {
      disk.remove()
    }
  },
}

async function fillAndFree(trial: Trial, disk: SmallDisk): Promise<void> {
  const { random, say } = trial
  disk.fill()
  const reason = /(The disk is full|bytes free)[^"]*/i
  say(`not ready: ${await untilNotReady(trial, { check: 'journal', reason })}`)
  await trial.load(random.between(100, 1_000))
  if (random.chance(0.5)) {
    disk.free()
    await trial.box().untilReady()
    await trial.load(random.between(50, 500))
    await trial.kill()
    await trial.start()
    return
  }
  await trial.kill()
  // On a full disk it may start or refuse to; neither may cost what is acknowledged.
  const box = trial.spawn()
  await Promise.race([box.listening.catch(() => undefined), delay(random.between(500, 3_000))])
  say(box.isRunning() ? 'it starts on a full disk' : `it refuses to start: ${box.log().trim().slice(-300)}`)
  if (box.isRunning()) await trial.kill()
  disk.free()
  await trial.start()
}
