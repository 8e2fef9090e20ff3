import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import type { Registry } from '@pulso/stores'
import type { QuarantineBounds } from '@pulso/stores/limits'
import { testCredentials, testTokensAndDevEuis } from './registry-credentials-conformance.ts'
import { testQuarantine } from './registry-quarantine-conformance.ts'
import { testRollupMarks } from './registry-rollups-conformance.ts'
import { entry, NOW_MS, sensor, state } from './support/registry-samples.ts'

/** One test's registry, empty at first, which may be opened several times, also at once. */
export interface RegistryUnderTest {
  open(options?: { quarantine?: Partial<QuarantineBounds> }): Promise<Registry>
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
    testQuarantine(start)
    testRollupMarks(start)

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
    assert.deepEqual(await registry.listQuarantine({ limit: 10 }), [{ ...entry(), id: 1, totalId: 1 }])
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
    assert.equal((await registry.countQuarantine()).entries, 0)
    assert.deepEqual(await registry.listQuarantineTotals({ limit: 1 }), [])
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
}
