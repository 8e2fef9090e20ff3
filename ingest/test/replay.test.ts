import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { DAY_MS } from '@pulso/model'
import { REPLAY_CREDENTIAL, type QuarantineEntry } from '@pulso/stores'
import { waitFor } from '../../test/support/wait.ts'
import { startCity, type City } from './support/city.ts'

const LOT = 'pulso/carpark/lot/telemetry'
const FREE = 'availableSpotNumber'

type Message = Pick<QuarantineEntry, 'topic' | 'payload' | 'receivedAtMs'>

/** What comes again from quarantine, one message after the other. */
async function replay(city: City, messages: readonly Message[]): Promise<void> {
  const end = city.ingest.status().position + messages.length
  for (const { topic, payload, receivedAtMs } of messages)
    await city.writer.append({ topic, payload, receivedAtMs, credential: REPLAY_CREDENTIAL })
  await waitFor(() => city.ingest.status().position >= end, { what: 'the replay to be taken', everyMs: 5 })
}

/** Two of three elements without a time have more free spaces than the lot: the lot is said to be larger afterwards. */
async function startWithRefused(context: TestContext): Promise<{ city: City; entries: QuarantineEntry[] }> {
  const city = await startCity(context)
  await city.put(LOT, { totalSpotNumber: 140 })
  await city.put(LOT, [{ [FREE]: 150 }, { [FREE]: 7 }, { [FREE]: 160 }])
  const entries = await city.quarantine()
  assert.equal(entries.length, 2)
  await city.put(LOT, { totalSpotNumber: 300 })
  return { city, entries }
}

describe('what comes again from quarantine', () => {
  test('keeps the time that it had, element by element, and is stored once however often it comes', async (context) => {
    const { city, entries } = await startWithRefused(context)
    const [[atMs] = [0]] = await city.points('carpark', 'lot', FREE)
    for (let n = 0; n < 2; n++) {
      await replay(city, entries)
      assert.deepEqual(await city.points('carpark', 'lot', FREE), [
        [atMs - 1, 150],
        [atMs, 7],
        [atMs + 1, 160],
      ])
    }
    assert.equal(city.ingest.stats().readingsDuplicate, 2)
    assert.equal((await city.state('lot'))?.values[FREE]?.value, 160)
  })

  test('is judged by the clock as it was when it arrived, and does not put the state back', async (context) => {
    const city = await startCity(context)
    await city.put('pulso/environment/air/telemetry', { pm25: 5 })
    const receivedAtMs = Date.now() - 60 * DAY_MS
    const late = { time: receivedAtMs - DAY_MS, pm25: 80 }
    const topic = 'pulso/environment/air/telemetry'
    await replay(city, [
      { topic, payload: Buffer.from(JSON.stringify(late)), receivedAtMs },
      { topic, payload: Buffer.from('{"pm25":90}'), receivedAtMs },
      { topic, payload: Buffer.from(JSON.stringify({ time: Date.now(), pm25: 99 })), receivedAtMs },
    ])
    const values = (await city.points('environment', 'air', 'pm25')).map(([timeMs, value]) => [timeMs, value])
    assert.deepEqual(values.slice(0, 2), [
      [receivedAtMs - DAY_MS, 80],
      [receivedAtMs, 90],
    ])
    assert.equal(values.length, 3)
    assert.deepEqual(
      (await city.quarantine()).map(({ reason }) => reason),
      ['clock'],
    )
    assert.equal((await city.state('air'))?.values.pm25?.value, 5)
  })

  test('is refused again with its first time, and counted as new by nobody', async (context) => {
    const city = await startCity(context)
    await city.put(LOT, '{"broken"')
    const [entry] = await city.quarantine()
    assert.ok(entry)
    await replay(city, [entry])
    const [returned, ...others] = await city.quarantine()
    assert.deepEqual(returned, { ...entry, id: entry.id + 1 })
    assert.deepEqual(others, [])
    assert.equal(city.ingest.stats().messagesQuarantined, 1)
    const [total] = await city.registry.listQuarantineTotals({ limit: 10 })
    assert.deepEqual([total?.count, total?.kept], [1, 1])
  })

  test('tells presence only where none is known', async (context) => {
    const city = await startCity(context)
    const topic = 'pulso/carpark/lot/presence'
    const message = { topic, payload: Buffer.from('online'), receivedAtMs: Date.now() - DAY_MS }
    await replay(city, [message])
    assert.equal((await city.state('lot'))?.presence, 'online')
    await city.put(topic, 'offline')
    await replay(city, [message])
    assert.equal((await city.state('lot'))?.presence, 'offline')
  })
})
