import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import type { Registry } from '@pulso/stores'
import { testCredentials, testTokensAndDevEuis } from './registry-credentials-conformance.ts'
import { entry, NOW_MS, sensor, state } from './support/registry-samples.ts'

/** One test's registry, empty at first, which may be opened several times, also at once. */
export interface RegistryUnderTest {
  open(options?: { quarantineMaxEntries?: number; quarantineMaxBytes?: number }): Promise<Registry>
  remove(): Promise<void>
}

const NOTHING = { newSensors: [], states: [], quarantine: [] }

/** What every registry driver must do. */
export function testRegistry(driver: string, create: () => Promise<RegistryUnderTest>): void {
  const start = async (context: TestContext) => {
    const registry = await create()
    const opened: Registry[] = []
    context.after(async () => {
      for (const each of opened) await each.close()
      await registry.remove()
    })
    return async (options?: Parameters<RegistryUnderTest['open']>[0]): Promise<Registry> => {
      const each = await registry.open(options)
      opened.push(each)
      return each
    }
  }

  describe(`registry conformance: ${driver}`, () => {
    testSensors(start)
    testCredentials(start)
    testTokensAndDevEuis(start)
    testOperators(start)
    testIngest(start)

    test('shows one opener what another one did, also after both were closed', async (context) => {
      const open = await start(context)
      const [first, second] = await Promise.all([open(), open()])
      await first.putSensors([sensor('s1')])
      assert.deepEqual(await second.getSensor('s1'), sensor('s1'))
      await second.commitIngest({ ...NOTHING, position: 5 })
      assert.equal(await first.ingestPosition(), 5)
      await first.close()
      await first.close()
      await second.close()
      const third = await open()
      await third.check()
      assert.equal(await third.ingestPosition(), 5)
    })

    test('answers no more once closed', async (context) => {
      const registry = await (await start(context))()
      await registry.close()
      await assert.rejects(registry.check(), { code: 'registry-unavailable' })
    })
  })
}

type Start = (
  context: TestContext,
) => Promise<(options?: Parameters<RegistryUnderTest['open']>[0]) => Promise<Registry>>

function testSensors(start: Start): void {
  test('gives back sensors as they were put', async (context) => {
    const registry = await (await start(context))()
    const full = {
      ...sensor('s1'),
      name: 'Plaza Porticada · ñ',
      position: { lat: 43.46, lon: -3.8 },
      attributes: { totalSpotNumber: 12, covered: true, street: "O'Donnell" },
    }
    await registry.putSensors([full, sensor('s2')])
    assert.deepEqual(await registry.getSensor('s1'), full)
    assert.deepEqual(await registry.getSensor('s2'), sensor('s2'))
    assert.equal(await registry.getSensor('s3'), undefined)
  })

  test('changes name, position and attributes of a known sensor, and nothing else', async (context) => {
    const registry = await (await start(context))()
    await registry.putSensors([sensor('s1')])
    const changed = { ...sensor('s1'), name: 'new', position: { lat: 1, lon: 2 }, attributes: { a: 1 } }
    await registry.putSensors([{ ...changed, createdAtMs: NOW_MS + 99 }])
    assert.deepEqual(await registry.getSensor('s1'), changed)
    await registry.putSensors([sensor('s1')])
    assert.deepEqual(await registry.getSensor('s1'), sensor('s1'))
  })

  test('refuses another kind for a known sensor, and the whole list with it', async (context) => {
    const registry = await (await start(context))()
    await registry.putSensors([sensor('s1')])
    const list = [sensor('s0'), { ...sensor('s1'), kind: 'lamp' }]
    await assert.rejects(registry.putSensors(list), { code: 'sensor-kind-differs', status: 409 })
    assert.equal(await registry.getSensor('s0'), undefined)
    assert.equal((await registry.getSensor('s1'))?.kind, 'bin')
  })

  test('refuses two kinds for one new sensor', async (context) => {
    const registry = await (await start(context))()
    const list = [sensor('s1'), { ...sensor('s1'), kind: 'lamp' }]
    await assert.rejects(registry.putSensors(list), { code: 'sensor-kind-differs' })
    assert.equal(await registry.getSensor('s1'), undefined)
  })

  test('tells what was added or changed since a revision', async (context) => {
    const registry = await (await start(context))()
    const ids = async (since: number): Promise<[number, string[]]> => {
      const { revision, sensors } = await registry.sensorsSince(since)
      return [revision, sensors.map(({ id }) => id).sort()]
    }
    assert.deepEqual(await ids(0), [0, []])
    await registry.putSensors([sensor('s1'), sensor('s2')])
    const [first, all] = await ids(0)
    assert.deepEqual(all, ['s1', 's2'])
    assert.deepEqual(await ids(first), [first, []])

    await registry.putSensors([sensor('s1'), { ...sensor('s2'), attributes: { a: 1, b: 2 } }])
    const [second, changed] = await ids(first)
    assert.ok(second > first)
    assert.deepEqual(changed, ['s2'], 'what is put as it stands is no change')
    await registry.putSensors([{ ...sensor('s2'), attributes: { b: 2, a: 1 } }])
    assert.deepEqual(await ids(second), [second, []])
  })
}

function testOperators(start: Start): void {
  const operator = { name: 'ana', passwordHash: 'scrypt$1$2$3$4$5', createdAtMs: NOW_MS }
  const session = { tokenHash: 'token', operator: 'ana', expiresAtMs: NOW_MS + 1_000 }

  test('keeps operators and their sessions until these expire', async (context) => {
    const registry = await (await start(context))()
    await registry.putOperator(operator)
    assert.deepEqual(await registry.getOperator('ana'), operator)
    assert.equal(await registry.getOperator('bob'), undefined)
    assert.deepEqual(await registry.listOperators(), [operator])

    await registry.addSession(session)
    assert.deepEqual(await registry.findSession('token', NOW_MS), session)
    assert.equal(await registry.findSession('token', NOW_MS + 1_000), undefined)
    assert.equal(await registry.removeExpiredSessions(NOW_MS), 0)
    assert.equal(await registry.removeExpiredSessions(NOW_MS + 1_000), 1)
    assert.equal(await registry.findSession('token', NOW_MS), undefined)
  })

  test('ends an operator’s sessions with a new password, with the operator, and one by one', async (context) => {
    const registry = await (await start(context))()
    const hasSession = async (): Promise<boolean> =>
      (await registry.findSession('token', NOW_MS)) !== undefined
    await registry.putOperator(operator)
    for (const end of [
      () => registry.putOperator({ ...operator, passwordHash: 'new' }),
      () => registry.removeSession('token'),
      () => registry.removeOperator('ana'),
    ]) {
      await registry.addSession(session)
      assert.equal(await hasSession(), true)
      await end()
      assert.equal(await hasSession(), false)
    }
    assert.equal(await registry.removeOperator('ana'), false)
    await assert.rejects(registry.addSession(session), { code: 'unknown-operator' })
  })
}

function testIngest(start: Start): void {
  test('keeps all that a batch of ingest changed', async (context) => {
    const registry = await (await start(context))()
    assert.equal(await registry.ingestPosition(), 0)
    await registry.commitIngest({
      position: 12,
      newSensors: [sensor('s1')],
      states: [state('s1', 1), state('s2', 1)],
      quarantine: [entry()],
    })
    await registry.commitIngest({ ...NOTHING, position: 13, states: [state('s1', 2)] })
    assert.equal(await registry.ingestPosition(), 13)
    assert.deepEqual(await registry.listStates(), [state('s1', 2), state('s2', 1)])
    assert.deepEqual(await registry.getState('s1'), state('s1', 2))
    assert.equal(await registry.getState('nobody'), undefined)
    assert.deepEqual(await registry.getSensor('s1'), sensor('s1'))
    assert.deepEqual((await registry.sensorsSince(0)).sensors, [sensor('s1')])
    assert.deepEqual(await registry.listQuarantine({ limit: 10 }), [{ ...entry(), id: 1 }])
  })

  test('keeps nothing of a batch that fails', async (context) => {
    const registry = await (await start(context))()
    const broken = { ...entry(), topic: undefined as unknown as string }
    const commit = registry.commitIngest({
      position: 3,
      newSensors: [sensor('s1')],
      states: [state('s1', 1)],
      quarantine: [entry(), broken],
    })
    await assert.rejects(commit)
    assert.equal(await registry.ingestPosition(), 0)
    assert.equal(await registry.getSensor('s1'), undefined)
    assert.deepEqual(await registry.listStates(), [])
    assert.deepEqual(await registry.countQuarantine(), { byReason: {}, bySensor: {} })
  })

  test('leaves a sensor that someone has placed in the meantime as it is', async (context) => {
    const registry = await (await start(context))()
    const placed = { ...sensor('s1'), position: { lat: 1, lon: 2 } }
    await registry.putSensors([placed])
    const { revision } = await registry.sensorsSince(0)
    await registry.commitIngest({ ...NOTHING, position: 1, newSensors: [sensor('s1')] })
    assert.deepEqual(await registry.getSensor('s1'), placed)
    assert.deepEqual((await registry.sensorsSince(revision)).sensors, [])
  })

  test('lists the quarantine newest first, in pages, by reason and by sensor', async (context) => {
    const registry = await (await start(context))()
    const quarantine = Array.from({ length: 10 }, (_, n) =>
      entry({ reason: n % 2 ? 'clock' : 'out-of-range', sensorId: n % 5 === 0 ? null : `s${n % 5}` }),
    )
    await registry.commitIngest({ ...NOTHING, position: 1, quarantine })
    const ids = async (query: Partial<Parameters<Registry['listQuarantine']>[0]>): Promise<number[]> =>
      (await registry.listQuarantine({ limit: 100, ...query })).map(({ id }) => id)
    assert.deepEqual(await ids({ limit: 3 }), [10, 9, 8])
    assert.deepEqual(await ids({ limit: 3, beforeId: 8 }), [7, 6, 5])
    assert.deepEqual(await ids({ reason: 'clock' }), [10, 8, 6, 4, 2])
    assert.deepEqual(await ids({ sensorId: 's1' }), [7, 2])
    assert.deepEqual(await ids({ sensorId: 's1', reason: 'out-of-range', beforeId: 9 }), [7])
    assert.deepEqual(await registry.countQuarantine(), {
      byReason: { clock: 5, 'out-of-range': 5 },
      bySensor: { s1: 2, s2: 2, s3: 2, s4: 2 },
    })
  })

  test('drops the oldest of a quarantine with too many entries or bytes', async (context) => {
    const open = await start(context)
    const few = await open({ quarantineMaxEntries: 3 })
    const ids = async (registry: Registry): Promise<number[]> =>
      (await registry.listQuarantine({ limit: 100 })).map(({ id }) => id)
    await few.commitIngest({ ...NOTHING, position: 1, quarantine: [entry(), entry()] })
    await few.commitIngest({ ...NOTHING, position: 2, quarantine: [entry(), entry()] })
    assert.deepEqual(await ids(few), [4, 3, 2])
    await few.commitIngest({ ...NOTHING, position: 3, quarantine: Array.from({ length: 5 }, () => entry()) })
    assert.deepEqual(await ids(few), [9, 8, 7])

    const small = await open({ quarantineMaxBytes: 1_000 })
    const large = entry({ payload: Buffer.alloc(600) })
    await small.commitIngest({ ...NOTHING, position: 4, quarantine: [large, entry(), large] })
    assert.deepEqual(await ids(small), [12, 11])
  })
}
