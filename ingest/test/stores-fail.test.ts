import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { AppError, HOUR_MS } from '@pulso/model'
import { waitFor } from '../../test/support/wait.ts'
import { createFolder, startCity, type City, type CityOptions, type Stores } from './support/city.ts'

const STATION = 'pulso/environment/air/telemetry'
const noon = Math.floor(Date.now() / HOUR_MS) * HOUR_MS - 24 * HOUR_MS
const limits = { retryFirstMs: 1, retryLongestMs: 5, stopMs: 50 }

type Step = 'write' | 'commitIngest' | 'acknowledge'

/** Puts something in front of one step of a batch's commit. */
function before(
  step: Step,
  act: (goOn: () => Promise<void>) => Promise<void>,
): NonNullable<CityOptions['wrap']> {
  return ({ readings, registry, reader }: Stores) => ({
    readings: {
      ...readings,
      ...(step === 'write' && { write: (batch) => act(() => readings.write(batch)) }),
    },
    registry: {
      ...registry,
      ...(step === 'commitIngest' && { commitIngest: (commit) => act(() => registry.commitIngest(commit)) }),
    },
    reader: {
      ...reader,
      ...(step === 'acknowledge' && { acknowledge: (position) => act(() => reader.acknowledge(position)) }),
    },
  })
}

describe('when the process ends', () => {
  const sendAll = async ({ send }: City): Promise<void> => {
    await send(STATION, { time: noon, pm25: 5 })
    await send(STATION, { time: noon - 60_000, pm25: 3 })
    await send(STATION, { time: noon, pm25: 6, no2: 7_000 })
    await send('pulso/parking/bay/presence', 'online')
    await send('pulso/parking/bay/telemetry', [{ status: 'free' }, { status: 'occupied' }])
  }

  /** Hangs at the step, ends there, and starts anew on the same stores with more messages on top. */
  const endAt = async (context: TestContext, step: Step): Promise<City> => {
    const folder = await createFolder(context)
    const reached = Promise.withResolvers<undefined>()
    const wrap = before(step, () => {
      reached.resolve(undefined)
      return new Promise(() => undefined)
    })
    const first = await startCity(context, { folder, limits, wrap })
    await sendAll(first)
    await reached.promise
    await first.close()

    const second = await startCity(context, { folder, limits })
    await second.put(STATION, { time: noon + 60_000, pm25: 8 })
    return second
  }

  for (const step of ['write', 'commitIngest', 'acknowledge'] as const) {
    test(`before ${step}: nothing is lost, nothing is there twice, the state is right`, async (context) => {
      const city = await endAt(context, step)
      await waitFor(async () => (await city.reader.status()).depth === 0, { what: 'an empty journal' })
      assert.deepEqual(await city.points('environment', 'air', 'pm25'), [
        [noon - 60_000, 3],
        [noon, 6],
        [noon + 60_000, 8],
      ])
      assert.deepEqual(
        (await city.points('parking', 'bay', 'status')).map(([, value]) => value),
        ['free', 'occupied'],
      )
      const [bay, air] = [await city.state('bay'), await city.state('air')]
      assert.deepEqual([bay?.presence, bay?.values.status?.value], ['online', 'occupied'])
      assert.equal(air?.values.pm25?.value, 8)
      assert.equal(air.hourly.pm25?.coverage, 3 / 12)
      assert.deepEqual(
        (await city.quarantine()).map(({ metric }) => metric),
        ['no2'],
      )
    })
  }

  test('a restart goes on where it was, duplicates are still known', async (context) => {
    const folder = await createFolder(context)
    const first = await startCity(context, { folder })
    await sendAll(first)
    await first.settled()
    await first.close()
    const second = await startCity(context, { folder })
    await second.put(STATION, { time: noon, pm25: 6 })
    await second.put(STATION, { time: noon - 60_000, pm25: 3 })
    assert.equal(second.ingest.stats().readingsDuplicate, 2)
    assert.equal((await second.points('environment', 'air', 'pm25')).length, 2)
  })
})

describe('when a store does not answer', () => {
  const down = (): AppError => new AppError('store-unavailable', 'The store is down', { retryable: true })

  for (const step of ['write', 'commitIngest', 'acknowledge'] as const) {
    test(`${step} is tried until it goes well, once in effect`, async (context) => {
      let failures = 3
      const city = await startCity(context, {
        limits,
        wrap: before(step, async (goOn) => {
          if (failures-- > 0) throw down()
          await goOn()
        }),
      })
      await city.put(STATION, { time: noon, pm25: 5 })
      await city.put(STATION, { time: noon, pm25: 5 })
      assert.deepEqual(await city.points('environment', 'air', 'pm25'), [[noon, 5]])
      const { readingsStored, readingsDuplicate } = city.ingest.stats()
      assert.deepEqual([readingsStored, readingsDuplicate], [1, 1])
    })

    test(`${step} that happened but failed to answer is not done twice`, async (context) => {
      let failures = 1
      const city = await startCity(context, {
        limits,
        wrap: before(step, async (goOn) => {
          await goOn()
          if (failures-- > 0) throw down()
        }),
      })
      await city.put(STATION, { time: noon, pm25: 5, no2: 9_000 })
      await city.put(STATION, { time: noon + 1, pm25: 6 })
      assert.equal((await city.points('environment', 'air', 'pm25')).length, 2)
      assert.equal((await city.quarantine()).length, 1)
    })
  }

  test('a journal that cannot forget holds nothing up, is told again, and the status says so', async (context) => {
    let isDown = true
    const city = await startCity(context, {
      limits: { ...limits, refreshMs: 20 },
      wrap: before('acknowledge', async (goOn) => {
        if (isDown) throw down()
        await goOn()
      }),
    })
    await city.send(STATION, { time: noon, pm25: 5 })
    await city.send(STATION, { time: noon + 1, pm25: 6 })
    await waitFor(() => city.ingest.status().position === 2, { what: 'both to be stored' })
    assert.deepEqual(await city.points('environment', 'air', 'pm25'), [
      [noon, 5],
      [noon + 1, 6],
    ])
    assert.equal(city.ingest.status().state, 'retrying')
    assert.equal((await city.reader.status()).depth, 2)

    isDown = false
    await waitFor(async () => (await city.reader.status()).depth === 0, { what: 'an empty journal' })
    await waitFor(() => city.ingest.status().state === 'running', { what: 'all to be well' })
  })

  test('the metrics say that the journal did not answer', async (context) => {
    const city = await startCity(context, {
      limits,
      wrap: ({ reader }) => ({ reader: { ...reader, status: () => Promise.reject(down()) } }),
    })
    assert.equal(await city.count('pulso_journal_depth'), 0)
    assert.ok((await city.count('pulso_journal_unanswered_total')) > 0)
  })

  test('the status says so, memory stays as committed, and stopping does not wait for it', async (context) => {
    let isDown = true
    const folder = await createFolder(context)
    const city = await startCity(context, {
      folder,
      limits: { retryFirstMs: 60_000, retryLongestMs: 60_000 },
      wrap: before('write', async (goOn) => {
        if (isDown) throw down()
        await goOn()
      }),
    })
    await city.send(STATION, { time: noon, pm25: 5 })
    await waitFor(() => city.ingest.status().state === 'retrying', { what: 'ingest to try again' })
    assert.deepEqual(city.ingest.status().error, { code: 'store-unavailable', message: 'The store is down' })
    assert.equal(city.ingest.status().position, 0)
    assert.deepEqual(city.told.states, [])
    assert.equal(await city.count('pulso_journal_depth'), 1)
    assert.ok((await city.count('pulso_journal_bytes')) > 0)

    const stoppedAtMs = Date.now()
    await city.close()
    assert.ok(Date.now() - stoppedAtMs < 2_000)
    assert.equal(city.ingest.status().state, 'stopped')

    isDown = false
    const next = await startCity(context, { folder })
    await waitFor(() => next.ingest.status().position === 1, { what: 'the message to be committed' })
    assert.deepEqual(await next.points('environment', 'air', 'pm25'), [[noon, 5]])
  })

  test('starting waits for nobody: it goes on by itself when the registry is back', async (context) => {
    let isDown = true
    const city = await startCity(context, {
      limits,
      wrap: ({ registry }) => ({
        registry: {
          ...registry,
          listStates: () => (isDown ? Promise.reject(down()) : registry.listStates()),
        },
      }),
    })
    assert.equal(city.ingest.status().state, 'retrying')
    isDown = false
    await city.put(STATION, { time: noon, pm25: 5 })
    assert.equal(city.ingest.status().state, 'running')
  })
})
