import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { openLoad, type LoadOptions } from '../src/index.ts'
import { GATEWAY, startBroker, type TestBroker } from './broker.ts'

async function start(context: TestContext): Promise<{ broker: TestBroker; options: LoadOptions }> {
  const broker = await startBroker()
  context.after(() => broker.stop())
  const port = Number(new URL(broker.url).port)
  const options = {
    host: '127.0.0.1',
    port,
    ...GATEWAY,
    prefix: 'x-',
    connections: 3,
    sensors: 7,
    inFlight: 4,
  }
  return { broker, options }
}

test('a load counts what the broker acknowledged, and no reading of it comes twice', async (context) => {
  const { broker, options } = await start(context)
  const load = await openLoad(options)
  const { acknowledged, latency } = await load.run({ warmUpMs: 0, durationMs: 200 })
  load.close()
  assert.ok(acknowledged > 0)
  assert.equal(load.acknowledged(), broker.received.length)
  assert.equal(latency.count, broker.received.length)
  const readings = broker.received.map(({ sensorId, objects }) => `${sensorId} ${String(objects[0]?.time)}`)
  assert.equal(new Set(readings).size, readings.length)
  assert.equal(new Set(broker.received.map(({ sensorId }) => sensorId)).size, 7)
})

test('a load at a rate sends what is due, and no more', async (context) => {
  const { broker, options } = await start(context)
  const load = await openLoad({ ...options, inFlight: 100 })
  const { acknowledged, seconds, behind } = await load.run({
    warmUpMs: 0,
    durationMs: 300,
    ratePerSecond: 1_000,
  })
  load.close()
  assert.equal(behind, 0)
  assert.equal(broker.received.length, load.acknowledged())
  const due = seconds * 1_000
  assert.ok(acknowledged <= due + 10 && acknowledged > due / 2, `${acknowledged} of ${due}`)
})

test('a load that the broker does not know says so', async (context) => {
  const { options } = await start(context)
  await assert.rejects(openLoad({ ...options, password: 'wrong' }), { code: 'load-refused' })
})

test('a load whose connections are cut fails instead of measuring the rest', async (context) => {
  const { broker, options } = await start(context)
  const load = await openLoad(options)
  const run = load.run({ warmUpMs: 0, durationMs: 2_000 })
  await broker.until((received) => received.length > 10)
  broker.cut()
  await assert.rejects(run, { code: 'load-failed' })
})
