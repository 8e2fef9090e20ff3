import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { join } from 'node:path'
import type { HistoryView } from '@pulso/model'
import { getJson, getSensor, readMetric, waitForValues } from '../support/api.ts'
import { PLACE, pulso, takeBackup } from '../support/backups.ts'
import { addDevice, startBox, withFolder, type RunningBox, type Secret } from '../support/box.ts'
import { connectDevice } from '../support/mqtt.ts'
import { READINGS_DRIVERS, skipDriver, withReadings } from '../support/readings-drivers.ts'
import { waitFor } from '../support/wait.ts'

const TOPIC = 'pulso/environment/air-1/telemetry'
/** Message n was measured n milliseconds later: recent enough for the sensor not to be offline. */
const FIRST_MS = Date.now() - 20_000
const valueOf = (n: number): number => (n % 500) / 10
const payload = (n: number): string => JSON.stringify({ time: FIRST_MS + n, temperature: valueOf(n) })

for (const driver of READINGS_DRIVERS) {
  describe(`a backup of a box under load, with ${driver}`, { skip: skipDriver(driver) }, () => {
    it('holds all that was acknowledged before it, once, and a city goes on from it', async () => {
      await withReadings(driver, (env) =>
        withFolder(async (folder) => {
          const dataDir = join(folder, 'data')
          const first = await startBox({ dataDir, env })
          const secret = await addDevice(first, ['air-1', ...PLACE])
          const load = await startLoad(first, secret)
          await load.until(800)
          const backup = await takeBackup({ dataDir, env }, join(folder, 'backups'))
          const { until, position, stores, files } = backup.manifest
          await load.until(load.acknowledged.size + 300)
          await first.stop('SIGKILL')
          const sent = await load.stop()

          assert.ok(stores.registry.position <= position)
          assert.equal(stores.journal.position, position)
          assert.deepEqual(stores.registry.counts, { sensors: 1, credentials: 1, operators: 1 })
          assert.equal(
            files.some(({ name }) => name === 'readings.duckdb'),
            driver === 'duckdb',
          )
          const promised = [...load.acknowledged]
            .filter(([, atMs]) => atMs < Date.parse(until))
            .map(([n]) => n)
          assert.ok(promised.length >= 800 && promised.length < load.acknowledged.size)

          const restored = { dataDir: join(folder, 'restored'), env }
          await pulso(['restore', backup.path, '--data-dir', restored.dataDir], restored)
          const second = await startBox(restored)
          try {
            await drained(second)
            const kept = await readHistory(second)
            for (const n of promised)
              assert.equal(kept.get(n), valueOf(n), `message ${n} was acknowledged before`)
            if (driver === 'duckdb') assert.ok(kept.size < load.acknowledged.size, 'later ones are not in it')
            const newest = Math.max(...kept.keys())
            if (driver === 'duckdb')
              assert.equal((await getSensor(second, 'air-1')).properties.values.temperature, valueOf(newest))

            // What a device would send again: all that is newer than the backup, and a little more.
            const again = await connectDevice(second, secret)
            const from = Math.max(0, promised.length - 100)
            for (let n = from; n < sent; n += 100) {
              const part = Array.from({ length: Math.min(100, sent - n) }, (_, index) => n + index)
              await Promise.all(part.map((index) => again.publishAsync(TOPIC, payload(index), { qos: 1 })))
            }
            await waitForValues(second, 'air-1', { temperature: valueOf(sent - 1) })
            await drained(second)
            const all = await readHistory(second)
            assert.deepEqual(
              [...all.keys()],
              Array.from({ length: sent }, (_, n) => n),
            )
            again.end(true)
          } finally {
            await second.stop()
          }
          if (driver === 'duckdb') {
            // Of a stopped box; its row count says that nothing is there twice.
            const last = await takeBackup(restored, join(folder, 'backups'))
            assert.equal(last.manifest.stores.readings.counts?.environment, sent)
          }
        }),
      )
    })
  })
}

/** Publishes one message after the other, twenty under way at a time, and remembers when each was acknowledged. */
async function startLoad(box: RunningBox, secret: Secret) {
  const client = await connectDevice(box, secret)
  client.on('error', () => undefined)
  const acknowledged = new Map<number, number>()
  let sent = 0
  let isStopping = false
  const publish = async (): Promise<void> => {
    while (!isStopping && client.connected) {
      const n = sent++
      await client.publishAsync(TOPIC, payload(n), { qos: 1 })
      acknowledged.set(n, Date.now())
    }
  }
  // What is under way when the box is killed fails.
  const lanes = Array.from({ length: 20 }, () => publish().catch(() => undefined))
  return {
    acknowledged,
    until: (count: number) =>
      waitFor(() => acknowledged.size >= count, { what: `${count} acknowledgements`, timeoutMs: 30_000 }),
    /** @returns how many were sent */
    async stop(): Promise<number> {
      isStopping = true
      client.end(true)
      await Promise.all(lanes)
      return sent
    },
  }
}

/** Message by number, in the order of their times; fails when one is there twice. */
async function readHistory(box: RunningBox): Promise<Map<number, unknown>> {
  const kept = new Map<number, unknown>()
  for (let from = 0; from < 100_000; from += 4_000) {
    const [fromTime, toTime] = [from, from + 3_999].map((n) => new Date(FIRST_MS + n).toISOString())
    const path = `/api/v1/sensors/air-1/history?metric=temperature&from=${fromTime}&to=${toTime}`
    const { points } = await getJson<HistoryView>(box, path)
    for (const { time, value } of points) {
      const n = Date.parse(time) - FIRST_MS
      assert.ok(!kept.has(n), `message ${n} is there twice`)
      kept.set(n, value)
    }
    if (points.length === 0) return kept
  }
  return kept
}

const drained = (box: RunningBox): Promise<unknown> =>
  waitFor(async () => (await readMetric(box, 'pulso_journal_depth')) === 0, {
    what: 'an empty journal',
    timeoutMs: 30_000,
  })
