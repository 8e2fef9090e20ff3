import { setTimeout as delay } from 'node:timers/promises'
import { skipWithout } from '../../support/programs.ts'
import { waitFor } from '../../support/wait.ts'
import { createFaults, type Faults } from '../support/faults.ts'
import type { Trial } from '../support/trial.ts'
import type { Scenario } from './scenario.ts'

/** A disk that takes writes and does not keep them: nothing may be acknowledged, and the box must say why. */
export const fsyncScenario: Scenario = {
  name: 'fsync',
  title: 'fsync and fdatasync failing for a while: no PUBACK meanwhile, the reason told, all well afterwards',
  skip: () => skipWithout('gcc'),
  async run({ kills, longestLoadMs, folder, createTrial, say }) {
    const faults = createFaults({ folder, only: 'readings.duckdb' })
    try {
      const trial = await createTrial({ env: faults.env })
      const { random, outcome } = trial
      await trial.start()
      while (outcome.kills < kills) {
        await trial.load(random.between(50, longestLoadMs))
        await failAll(trial, faults)
        // Killed while nothing can be kept, or after it could be kept again.
        const isKilledMeanwhile = trial.box().isRunning() && random.chance(0.5)
        if (isKilledMeanwhile) await trial.kill()
        faults.setFsync('none')
        await startWhereNeeded(trial)
        say(`fsync works again, ${faults.fsyncFailures()} calls failed`)
        await trial.load(random.between(50, longestLoadMs))
        await failReadings(trial, faults)
        await trial.load(random.between(50, longestLoadMs))
        if (!isKilledMeanwhile) {
          await trial.kill()
          await trial.start()
        }
        await trial.check()
        if (outcome.kills < kills) await trial.start()
      }
    } finally {
      faults.setFsync('none')
      faults.close()
    }
  },
}

/** Every file. Once the box says that it cannot keep anything, the count of acknowledgements must stand still. */
async function failAll(trial: Trial, faults: Faults): Promise<void> {
  const { ledger, random } = trial
  faults.setFsync('all')
  const reason = await untilNotReady(trial, { check: 'journal', reason: /journal[^"]*disk I\/O error/i })
  trial.say(`not ready: ${reason}`)
  // What the last good commit has brought may still be on its way to this process.
  await delay(250)
  const before = ledger.tally.acknowledged
  await trial.load(random.between(300, 1_500))
  const after = ledger.tally.acknowledged
  if (after > before) {
    trial.fail(
      'acknowledged-while-failing',
      `${after - before} messages were acknowledged while no fsync worked`,
    )
  }
}

/** It was killed; or it ended by itself, which it may where only beginning anew from the disk can be trusted. */
async function startWhereNeeded(trial: Trial): Promise<void> {
  const box = trial.box()
  if (box.isRunning()) return
  const { code, signal } = await box.ended
  if (signal === null && code !== 1) trial.fail('wrong-end', `code ${code}\n${box.log().slice(-3_000)}`)
  await trial.start()
}

/** DuckDB's file alone: the journal goes on taking messages, and they are stored once the file can be written again. */
async function failReadings(trial: Trial, faults: Faults): Promise<void> {
  const { ledger } = trial
  const failed = faults.fsyncFailures()
  faults.setFsync('only')
  await waitFor(() => faults.fsyncFailures() > failed, { what: 'DuckDB to fail at fsync' })
  const before = ledger.tally.acknowledged
  await waitFor(() => ledger.tally.acknowledged > before + 100, {
    what: 'the journal to keep and acknowledge while DuckDB cannot',
    timeoutMs: 20_000,
  }).catch((error: unknown) => trial.fail('not-acknowledged', String(error)))
  faults.setFsync('none')
}

/** Waits for 503 because of this check, and for the reason in the log, which operators read. @returns the reason */
export async function untilNotReady(
  trial: Trial,
  { check, reason }: { check: string; reason: RegExp },
): Promise<string> {
  return waitFor(
    async () => {
      const response = await fetch(new URL('/health/ready', trial.box().http))
      const { checks } = (await response.json()) as { checks: { name: string; ok: boolean }[] }
      const isTold = response.status === 503 && checks.some(({ name, ok }) => name === check && !ok)
      return isTold ? reason.exec(trial.box().log())?.[0] : undefined
    },
    { what: `a box that is not ready, and says why: ${reason.source}`, timeoutMs: 20_000 },
  ).catch((error: unknown) => trial.fail('no-reason', `${String(error)}\n${trial.box().log().slice(-2_000)}`))
}
