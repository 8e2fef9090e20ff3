import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { DAY_MS, HOUR_MS, MINUTE_MS } from '@pulso/model'
import { waitFor } from '../../test/support/wait.ts'
import { createRollupCity, DAY_START_MS, FOR_EVER, STATION } from './support/rollup-city.ts'

describe('the roller', () => {
  it('stores a bucket once it has closed, and answers exactly before that', async (context) => {
    const city = await createRollupCity(context, DAY_START_MS + 10 * MINUTE_MS)
    await city.store([city.air(0, 10), city.air(4, 20), city.air(5, 60)])
    assert.equal((await city.stored('5m')).length, 0)
    assert.deepEqual(await city.means('5m', 10), [15, 60])
    await city.roller.catchUp()
    assert.equal((await city.stored('5m')).length, 1, 'the second one has not closed for long enough')
    assert.deepEqual(await city.means('5m', 10), [15, 60])
    city.clock.nowMs = DAY_START_MS + 25 * HOUR_MS
    await city.roller.catchUp()
    assert.deepEqual(await city.stored('1d'), [30])
    assert.deepEqual(await city.stored('1h'), [30])
    assert.equal(city.roller.status().lagMs, 0)
  })

  it('works an hour out anew when a late reading comes, and answers exactly before that', async (context) => {
    const city = await createRollupCity(context, DAY_START_MS + 3 * HOUR_MS)
    await city.store([city.air(61, 10)])
    await city.roller.catchUp()
    await city.store([city.air(62, 30), city.air(7, 50)])
    assert.deepEqual(await city.stored('1h'), [10])
    assert.deepEqual(await city.means('1h', 180), [50, 20, undefined])
    assert.equal((await city.registry.listDueHours()).length, 2)
    await city.roller.catchUp()
    assert.deepEqual(await city.stored('1h'), [50, 20])
    assert.deepEqual(await city.registry.listDueHours(), [])
  })

  it('sums an open day up from its hours', async (context) => {
    const city = await createRollupCity(context, DAY_START_MS + 150 * MINUTE_MS)
    await city.store([city.air(10, 10), city.air(70, 30), city.air(130, 80)])
    await city.roller.catchUp()
    await city.store([city.air(11, 40)])
    assert.deepEqual(await city.stored('1d'), [])
    assert.deepEqual(await city.means('1d', 150), [40])
  })

  it('changes the hours into which a late state reaches', async (context) => {
    const city = await createRollupCity(context, DAY_START_MS + 5 * HOUR_MS)
    await city.store([city.bay(1, 'free')])
    await city.roller.catchUp()
    const heldMs = async (): Promise<unknown[]> =>
      (await city.ask('parking', 'status', { resolution: '1h', minutes: 120 })).map(
        ({ row }) => row?.parts.status_occupied_ms ?? 0,
      )
    assert.deepEqual(await heldMs(), [0, 0])
    await city.store([city.bay(59, 'occupied')])
    const exact = await heldMs()
    assert.equal(exact[0], MINUTE_MS)
    assert.equal(exact[1], HOUR_MS)
    await city.roller.catchUp()
    assert.deepEqual(await city.registry.listDueHours(), [])
    assert.deepEqual(await heldMs(), exact)
  })

  it('does again what a crash has left, with the same result', async (context) => {
    const city = await createRollupCity(context, DAY_START_MS + 2 * HOUR_MS)
    await city.store([city.air(3, 10)])
    const rollUp = city.rollups.rollUp
    let calls = 0
    city.rollups.rollUp = async (plan) => {
      await rollUp(plan)
      if (++calls === 3) throw new Error('power cut')
    }
    city.roller.start()
    await waitUntil(() => city.roller.status().state === 'retrying', 'a failure to be seen')
    await city.roller.stop()
    city.rollups.rollUp = rollUp
    await city.restart()
    await city.roller.catchUp()
    assert.deepEqual(await city.stored('5m'), [10])
    assert.deepEqual(await city.stored('1h'), [10])
  })

  it('finds late readings again that a crash kept out of the registry', async (context) => {
    const city = await createRollupCity(context, DAY_START_MS + 2 * HOUR_MS)
    await city.store([city.air(3, 10)])
    await city.roller.catchUp()
    const late = await city.write([city.air(4, 30)])
    await city.restart()
    assert.equal(city.roller.status().dueHours.changed, 0)
    await city.roller.catchUp()
    city.roller.watch.take(late, city.sensors)
    await city.settle(late.position)
    await city.roller.catchUp()
    assert.deepEqual(await city.stored('1h'), [20])
  })

  it('begins with the oldest reading of a folder that was there before', async (context) => {
    const city = await createRollupCity(context, DAY_START_MS + 3 * DAY_MS)
    await city.write([city.air(30, 10)])
    await city.roller.catchUp()
    assert.deepEqual(await city.stored('1d'), [10])
    const [mark] = (await city.registry.listRollupMarks()).filter(
      ({ kind, what }) => kind === 'environment' && what === '1d',
    )
    assert.equal(mark?.untilMs, DAY_START_MS + 2 * DAY_MS, 'the third day closed a moment ago')
  })

  it('says so when too much of a question is not summed up yet', async (context) => {
    const city = await createRollupCity(context, DAY_START_MS + 5 * DAY_MS)
    await city.write([city.air(30, 10)])
    const question = { resolution: '1h', minutes: 4 * 24 * 60 } as const
    await assert.rejects(city.ask('environment', 'pm25', question), {
      code: 'aggregates-being-built',
      status: 503,
    })
    await city.roller.catchUp()
    assert.equal((await city.ask('environment', 'pm25', question)).length, 96)
  })

  it('deletes readings by whole days, and never before they are summed up', async (context) => {
    const city = await createRollupCity(context, DAY_START_MS + 12 * HOUR_MS, {
      ...FOR_EVER,
      raw: 2 * DAY_MS,
    })
    await city.store([city.air(1, 10), city.air(2 * 24 * 60, 20)])
    const rollUp = city.rollups.rollUp
    city.rollups.rollUp = () => Promise.reject(new Error('not now'))
    city.clock.nowMs = DAY_START_MS + 4 * DAY_MS
    city.roller.start()
    await waitUntil(() => city.roller.status().state === 'retrying', 'a failure to be seen')
    await city.roller.stop()
    assert.equal(await city.rollups.oldestReadingMs('environment'), DAY_START_MS + MINUTE_MS)
    city.rollups.rollUp = rollUp
    await city.restart()
    await city.roller.catchUp()
    assert.equal(await city.rollups.oldestReadingMs('environment'), DAY_START_MS + 2 * DAY_MS)
    assert.deepEqual(await city.stored('1d'), [10, 20])

    await city.store([city.air(5, 90)])
    await city.roller.catchUp()
    assert.deepEqual(await city.stored('1d'), [10, 20], 'a day without its readings stays as it is')
    assert.deepEqual(await city.registry.listDueHours(), [])
  })

  it('rebuilds from the readings what is asked for, and goes on with that after a restart', async (context) => {
    const city = await createRollupCity(context, DAY_START_MS + 3 * DAY_MS)
    await city.store([city.air(1, 10), city.air(24 * 60, 20)])
    await city.roller.catchUp()
    const moved = { ...STATION, position: null }
    city.roller.watch.know([moved])
    await city.roller.catchUp()
    const ofZone = async (): Promise<number> =>
      (
        await city.ask('environment', 'pm25', { resolution: '1d', minutes: 2 * 24 * 60, zone: 'centre' })
      ).filter(({ row }) => row).length
    assert.equal(await ofZone(), 2, 'what was stored goes by where it was')
    const request = { kind: 'environment', fromMs: DAY_START_MS + DAY_MS }
    const { hours, coveredFromMs } = await city.roller.rebuild(request)
    assert.equal(hours, 48)
    assert.equal(coveredFromMs, null)
    assert.equal(await ofZone(), 2, 'what is stored holds until it is worked out anew')
    await city.restart([moved])
    assert.deepEqual(city.roller.status().dueHours, { changed: 0, rebuild: 48 })
    await city.roller.catchUp()
    assert.equal(await ofZone(), 1)
    await assert.rejects(city.roller.rebuild({ kind: 'nonsense' }), { code: 'unknown-kind' })
    await city.roller.rebuild({})
    assert.ok((await city.roller.cancelRebuild()) > 0)
    assert.deepEqual(await city.registry.listDueHours(), [])
  })
})

function waitUntil(isThere: () => boolean, what: string): Promise<unknown> {
  return waitFor(isThere, { what, everyMs: 5 })
}
