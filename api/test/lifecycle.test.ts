import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { SensorCollection } from '@pulso/model'
import { createTestApi, NO_READINGS, toSensor, toState } from './helper.ts'

test('a port in use is named', async (t) => {
  const other = createServer().listen(0, '127.0.0.1')
  t.after(() => other.close())
  await once(other, 'listening')
  const address = other.address()
  const port = address && typeof address === 'object' ? address.port : assert.fail()
  await assert.rejects(createTestApi(t, { port }), {
    code: 'port-in-use',
    message: `Another program listens on 127.0.0.1:${port} already`,
  })
})

test('a host that is not ours is named', async (t) => {
  await assert.rejects(createTestApi(t, { host: '192.0.2.1' }), {
    code: 'listen-failed',
    message: /192\.0\.2\.1:0/,
  })
})

test('stopping ends live readers and idle connections at once', async (t) => {
  const { api, address } = await createTestApi(t)
  const live = await fetch(`${address}/api/v1/live`)
  const reader = live.body?.getReader() ?? assert.fail()
  await reader.read()
  await (await fetch(`${address}/api/v1/city`)).text()
  const startMs = performance.now()
  await api.stop()
  assert.ok(performance.now() - startMs < 500)
  await assert.rejects(fetch(`${address}/api/v1/city`))
  // The feed has come to its end, whether politely or by the socket.
  const end = await reader.read().catch(() => ({ done: true }))
  assert.equal(end.done || (await reader.read().catch(() => ({ done: true }))).done, true)
})

test('a second start shows what the registry kept', async (t) => {
  const { registry, api } = await createTestApi(t, { sensors: [toSensor('a')] })
  await registry.commitIngest({
    position: 1,
    newSensors: [],
    states: [{ ...toState('a', { fillLevel: 0.9 }), newest: {}, window: {} }],
    quarantine: [],
  })
  await api.stop()
  const again = await createTestApi(t, { registry })
  const { features } = (await again.get('/api/v1/sensors')).body as SensorCollection
  assert.deepEqual(
    features.map(({ id, properties }) => [id, properties.state]),
    [['a', 'full']],
  )
})

test('a start reads the newest states alone, and no history', async (t) => {
  const { registry, api } = await createTestApi(t, { sensors: [toSensor('a')] })
  await api.stop()
  let questions = 0
  const readings = new Proxy(NO_READINGS, {
    get(target, name, receiver) {
      if (name !== 'check') questions += 1
      return Reflect.get(target, name, receiver) as unknown
    },
  })
  const again = await createTestApi(t, { registry, readings })
  assert.equal((await again.get('/api/v1/sensors')).status, 200)
  assert.equal(questions, 0)
})

test('ready tells each dependency’s state, and does not wait for one that hangs', async (t) => {
  let asked = 0
  const hang = (): Promise<void> => {
    asked += 1
    return new Promise(() => undefined)
  }
  const checks = [
    { name: 'registry', driver: 'sqlite', check: () => Promise.resolve() },
    { name: 'readings', driver: 'influxdb', check: hang },
  ]
  const { get } = await createTestApi(t, { checks, limits: { checkMs: 20 } })
  const answers = [await get('/health/ready'), await get('/health/ready')]
  for (const { status, body } of answers) {
    assert.equal(status, 503)
    assert.deepEqual(body, {
      status: 'failing',
      checks: [
        { name: 'registry', driver: 'sqlite', ok: true },
        { name: 'readings', driver: 'influxdb', ok: false },
      ],
    })
  }
  assert.equal(asked, 1, 'a question that hangs is not asked again')
  assert.equal((await get('/health/live')).status, 200)
})

test('ready answers 200 when every dependency does', async (t) => {
  const { get } = await createTestApi(t)
  const { status, body } = await get('/health/ready')
  assert.equal(status, 200)
  assert.deepEqual(body, { status: 'ok', checks: [{ name: 'registry', driver: 'sqlite', ok: true }] })
})

async function createWebFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'pulso-web-'))
  t.after(() => rm(folder, { recursive: true }))
  await mkdir(join(folder, 'assets'))
  await writeFile(join(folder, 'index.html'), '<title>city</title>')
  await writeFile(join(folder, 'ops.html'), '<title>operators</title>')
  await writeFile(join(folder, 'assets', 'main-1a2b3c.js'), 'console.log(1)')
  return folder
}

test('the built web app is served, its hashed assets for good', async (t) => {
  const webFolder = await createWebFolder(t)
  const { get } = await createTestApi(t, { webFolder, limits: { requestsPerSecond: 6 } })
  const index = await get('/')
  assert.deepEqual(
    [index.status, index.text, index.headers['cache-control']],
    [200, '<title>city</title>', 'no-cache'],
  )
  for (const path of ['/ops', '/ops/']) assert.equal((await get(path)).text, '<title>operators</title>', path)
  const asset = await get('/assets/main-1a2b3c.js')
  assert.equal(asset.headers['cache-control'], 'public, max-age=31536000, immutable')
  assert.match(String(asset.headers['content-type']), /javascript/)
  assert.equal((await get('/assets/gone.js')).status, 404)
  for (const path of ['/../package.json', '/%2e%2e/package.json', '/..%2f..%2fetc/passwd'])
    assert.ok([400, 403, 404].includes((await get(path)).status), path)
  assert.equal(
    (await get('/api/v1/nothing')).headers['content-type'],
    'application/problem+json; charset=utf-8',
  )
})

test('without a built web app the front page says how to build it', async (t) => {
  for (const webFolder of [null, '/nowhere']) {
    const { text, status } = await (await createTestApi(t, { webFolder })).get('/')
    assert.equal(status, 200)
    assert.match(text, /npm run build/)
  }
})
