import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { DAY_MS, HOUR_MS } from '@pulso/model'
import { createReplay, openReplay } from '../src/index.ts'
import { GATEWAY, silentLogger, startBroker } from './broker.ts'

const DATA = join(import.meta.dirname, '../../../shared/data')
const WEEK = join(DATA, 'parking/dresden-and-others-2024-06')
const AIR = join(DATA, 'environment/barcelona-2018-11.csv')
const skipUnless = (path: string): { skip: string | false } => ({
  skip: existsSync(path) ? false : 'the recorded data is not on this machine',
})

test(
  'the German week has its 399 car parks with values, 137 of them on the map',
  skipUnless(WEEK),
  async () => {
    const source = await openReplay({ path: WEEK })
    assert.equal(source.sensors.length, 399)
    assert.equal(source.sensors.filter(({ position }) => position).length, 137)
    assert.deepEqual([source.rowCount, source.malformed.count], [250_463, 0])
  },
)

test(
  'a day of the German week arrives whole, in order and as it was recorded',
  skipUnless(WEEK),
  async () => {
    const broker = await startBroker()
    const source = await openReplay({ path: WEEK })
    const fromMs = Date.parse('2024-06-11T00:00:00Z')
    const clock = { now: () => Date.parse('2026-03-04T12:00:00Z') }
    const options = { source, clock, fromMs, toMs: fromMs + DAY_MS, speed: 'max' as const }
    const summary = await createReplay({
      ...options,
      ...GATEWAY,
      mqttUrl: broker.url,
      logger: silentLogger,
    }).start()
    assert.deepEqual([summary.rows, summary.messages], [37_990, 37_990])
    assert.equal(broker.received.length, 37_990)
    assert.equal(broker.received.at(-1)?.objects[0]?.time, '2026-03-03T23:45:01.000Z')
    assert.ok((summary.refused['over-capacity'] ?? 0) > 0 && (summary.refused['out-of-range'] ?? 0) > 0)
    await broker.stop()
  },
)

test('the air month has eight placed stations and hardly a contradiction', skipUnless(AIR), async () => {
  const source = await openReplay({ path: AIR })
  assert.equal(source.sensors.length, 8)
  assert.ok(source.sensors.every(({ position }) => position && Math.abs(position.lat - 41.4) < 0.1))
  assert.equal(source.malformed.count, 0)
  let [values, beforeMs] = [0, 0]
  for await (const row of source.rows()) {
    assert.ok(row.timeMs >= beforeMs && row.timeMs % HOUR_MS === 0)
    beforeMs = row.timeMs
    values += Object.keys(row.values).length
  }
  assert.equal(values, 12_841)
})
