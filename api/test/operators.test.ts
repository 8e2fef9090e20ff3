import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { OpsOverview, OpsSensors, SessionView } from '@pulso/model'
import { hashSecret, type QuarantineEntry } from '@pulso/stores'
import { waitFor } from '../../test/support/wait.ts'
import { hashPassword, verifyPassword, type Operations } from '../src/index.ts'
import { EMPTY_OVERVIEW, NO_OPERATIONS, NOON_MS, toSensor, toState } from './helper.ts'
import {
  codeOf,
  createLoggedIn,
  createOperatorApi,
  PASSWORD,
  toCookie,
  type Headers,
} from './operator-api.ts'

test('a password is verified against its hash, and equal texts are equal however they are composed', async () => {
  const hash = await hashPassword('contraseña')
  assert.match(hash, /^scrypt\$32768\$8\$3\$[\w+/]{22}==\$[\w+/]{43}=$/)
  assert.equal(await verifyPassword('contrasen\u0303a', hash), true)
  assert.equal(await verifyPassword('contrasena', hash), false)
  assert.notEqual(await hashPassword('contraseña'), hash)
})

test('no hash, or one that is not ours, fits no password', async () => {
  for (const hash of [undefined, '', 'plain', 'scrypt$1$1$1$$', 'scrypt$99999999$8$1$AAAA$AAAA', '$2b$10$x'])
    assert.equal(await verifyPassword('', hash), false, String(hash))
})

test('an operator logs in, is known by the cookie, and logs out', async (t) => {
  const { login, get, api } = await createOperatorApi(t)
  const answer = await login()
  assert.equal(answer.status, 200)
  assert.deepEqual(answer.body, {
    operator: 'operator',
    expiresAt: '2026-06-01T00:00:00.000Z',
  })
  assert.match(
    String(answer.headers['set-cookie']),
    /^pulso_session=[\w-]{43}; Max-Age=43200; Path=\/; HttpOnly; SameSite=Strict$/,
  )
  const cookie = toCookie(answer)
  assert.equal(((await get('/api/v1/session', { cookie })).body as SessionView).operator, 'operator')
  const out = await api.app.inject({ method: 'DELETE', url: '/api/v1/session', headers: { cookie } })
  assert.equal(out.statusCode, 204)
  assert.equal((await get('/api/v1/session', { cookie })).status, 401)
})

test('behind TLS the cookie goes over TLS alone', async (t) => {
  const { login } = await createOperatorApi(t)
  const answer = await login({ password: PASSWORD }, { 'x-forwarded-proto': 'https' })
  assert.match(String(answer.headers['set-cookie']), /; Secure/)
})

test('the registry holds no token that would open a session', async (t) => {
  const { login, registry } = await createOperatorApi(t)
  const token = toCookie(await login()).split('=')[1] ?? ''
  assert.equal(await registry.findSession(token, NOON_MS), undefined)
})

test('a session ends after twelve hours', async (t) => {
  const { login, get, clock } = await createOperatorApi(t)
  const cookie = toCookie(await login())
  clock.nowMs += 12 * 3_600_000 + 1
  assert.equal((await get('/api/v1/session', { cookie })).status, 401)
})

test('wrong names and wrong passwords get the same answer, and are counted', async (t) => {
  const { login, metrics } = await createOperatorApi(t)
  const wrongPassword = await login({ password: 'wrong' })
  const wrongName = await login({ name: 'nobody', password: PASSWORD })
  assert.deepEqual([wrongPassword.status, codeOf(wrongPassword)], [401, 'wrong-credentials'])
  assert.deepEqual(wrongName.body, wrongPassword.body)
  assert.equal(wrongName.headers['set-cookie'], undefined)
  assert.match(await metrics.metrics(), /pulso_login_failures_total\{reason="wrong-credentials"\} 2/)
})

test('after five tries in a minute an address waits, also with the right password', async (t) => {
  const { login, clock } = await createOperatorApi(t)
  const tries = await Promise.all(Array.from({ length: 8 }, () => login({ password: 'wrong' })))
  assert.deepEqual(tries.map(({ status }) => status).sort(), [401, 401, 401, 401, 401, 429, 429, 429])
  const refused = await login()
  assert.equal(codeOf(refused), 'too-many-logins')
  assert.equal(refused.headers['retry-after'], '60')
  clock.nowMs += 60_000
  assert.equal((await login()).status, 200)
})

test('all addresses together are bounded too', async (t) => {
  const { login, clock } = await createOperatorApi(t, { limits: { allLoginsPerMinute: 1 } })
  assert.equal((await login()).status, 200)
  assert.equal((await login()).status, 429)
  clock.nowMs += 60_000
  assert.equal((await login()).status, 200)
})

test('another site’s page can neither log in nor log out', async (t) => {
  const { login } = await createOperatorApi(t)
  const body = { password: PASSWORD }
  const foreign: Headers[] = [
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
  ]
  for (const headers of foreign) assert.equal(codeOf(await login(body, headers)), 'cross-origin')
  const own = {
    host: 'city.example:8080',
    origin: 'http://city.example:8080',
    'sec-fetch-site': 'same-origin',
  }
  assert.equal((await login(body, own)).status, 200)
})

test('operators’ pages answer nobody without a session, whatever is asked', async (t) => {
  const { get } = await createOperatorApi(t)
  for (const path of ['overview', 'sensors', 'sensors?sort=nonsense', 'quarantine', 'quarantine?limit=-1']) {
    for (const cookie of ['', 'pulso_session=x', `pulso_session=${'a'.repeat(43)}`]) {
      const answer = await get(`/api/v1/ops/${path}`, { cookie })
      assert.deepEqual([answer.status, codeOf(answer)], [401, 'no-session'], path)
      assert.equal(answer.headers['cache-control'], 'no-store')
      assert.equal(answer.headers['access-control-allow-origin'], undefined)
    }
  }
})

test('the overview brings the parts together, and names a store that fails', async (t) => {
  const operations: Pick<Operations, 'overview'> = {
    overview: async () => ({
      ...EMPTY_OVERVIEW,
      journal: { depth: 7, oldestAgeMs: 40, bytes: 900, maxBytes: 1_000, full: 'it is' },
      connections: 5,
    }),
  }
  const checks = [
    { name: 'registry', driver: 'sqlite', check: () => Promise.resolve() },
    { name: 'readings', driver: 'duckdb', check: () => Promise.reject(new Error('disk full')) },
  ]
  const { ask, registry } = await createLoggedIn(t, {
    operations: { ...NO_OPERATIONS, ...operations },
    checks,
  })
  await registry.commitIngest({ position: 1, newSensors: [], states: [], quarantine: [toEntry('a')] })
  const overview = (await ask('overview')).body as OpsOverview
  assert.deepEqual([overview.journal.depth, overview.journal.full], [7, 'it is'])
  assert.equal(overview.connections, 5)
  assert.equal(overview.startedAt, '2026-05-31T12:00:00.000Z')
  assert.deepEqual(overview.stores, [
    { name: 'registry', driver: 'sqlite', ok: true, detail: null },
    { name: 'readings', driver: 'duckdb', ok: false, detail: 'disk full' },
  ])
  assert.deepEqual(overview.quarantine, [{ reason: 'out-of-range', count: 1 }])
})

test('operators see the longest silent first, with what devices say of themselves', async (t) => {
  const sensors = ['a', 'b', 'c', 'd'].map((id) => toSensor(id, { name: id === 'b' ? 'Plaza Mayor' : null }))
  const { ask, api, registry } = await createLoggedIn(t, { sensors })
  await registry.commitIngest({
    position: 1,
    newSensors: [],
    states: [],
    quarantine: [toEntry('b'), toEntry('b')],
  })
  api.applyStates([
    toState('a', { fillLevel: 0.1, batteryLevel: 0.9 }),
    toState(
      'b',
      { fillLevel: 0.1, batteryLevel: 0.1, rssi: -90 },
      { timeMs: NOON_MS - 3_600_000, presence: 'offline' },
    ),
    toState('d', { fillLevel: 0.1 }, { timeMs: NOON_MS - 60_000 }),
  ])
  const find = async (query: string): Promise<string[]> =>
    ((await ask(`sensors?${query}`)).body as OpsSensors).sensors.map(({ id }) => id)

  assert.deepEqual(await find(''), ['c', 'b', 'd', 'a'])
  assert.deepEqual(await find('sort=battery'), ['b', 'a', 'c', 'd'])
  assert.deepEqual(await find('sort=id'), ['a', 'b', 'c', 'd'])
  assert.deepEqual(await find('freshness=offline'), ['c', 'b'])
  assert.deepEqual(await find('q=plaza'), ['b'])
  assert.deepEqual(await find('kind=parking'), [])
  const { sensors: rows, total } = (await ask('sensors?q=b')).body as OpsSensors
  assert.equal(total, 1)
  assert.deepEqual(rows[0], {
    id: 'b',
    kind: 'bins',
    name: 'Plaza Mayor',
    zone: 'west',
    placed: true,
    state: 'unknown',
    freshness: 'offline',
    presence: 'offline',
    batteryLevel: 0.1,
    rssi: -90,
    time: '2026-05-31T11:00:00.000Z',
    receivedAt: '2026-05-31T11:00:00.000Z',
    quarantined: 2,
  })
})

test('pages of operators’ sensors stay whole in every order', async (t) => {
  const ids = Array.from({ length: 7 }, (_, index) => `s${index}`)
  const { ask, api } = await createLoggedIn(t, { sensors: ids.map((id) => toSensor(id)) })
  api.applyStates(ids.slice(2).map((id) => toState(id, { fillLevel: 0.1, batteryLevel: 0.5 })))
  for (const sort of ['silent', 'battery', 'id']) {
    const seen: string[] = []
    let next: string | null = ''
    while (next !== null) {
      const page = (await ask(`sensors?sort=${sort}&limit=3&cursor=${next}`)).body as OpsSensors
      seen.push(...page.sensors.map(({ id }) => id))
      next = page.next
    }
    assert.equal(seen.length, 7, sort)
    assert.equal(new Set(seen).size, 7, sort)
  }
})

test('expired sessions leave the registry', async (t) => {
  const { login, registry, clock } = await createOperatorApi(t, { limits: { sessionSweepMs: 5 } })
  const token = toCookie(await login()).slice('pulso_session='.length)
  // Asked as of its beginning, the registry shows the session for as long as it has it.
  const find = () => registry.findSession(hashSecret(token), NOON_MS)
  assert.equal((await find())?.operator, 'operator')
  clock.nowMs += 13 * 3_600_000
  await waitFor(async () => (await find()) === undefined, { what: 'the session to be removed' })
})

function toEntry(sensorId: string, payload: Uint8Array = Buffer.from('{"fillLevel":9}')): QuarantineEntry {
  return {
    receivedAtMs: NOON_MS,
    reason: 'out-of-range',
    detail: 'fillLevel 9 is outside 0 to 1',
    topic: `pulso/bins/${sensorId}/telemetry`,
    sensorId,
    metric: 'fillLevel',
    payload,
  }
}
