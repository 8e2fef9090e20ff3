import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRateLimiter } from '../src/http/rate-limit.ts'
import { createTestApi, type TestApi } from './helper.ts'

/** Asks as somebody at an address. @returns whether the answer was given */
async function ask(
  { api }: TestApi,
  remoteAddress: string,
  headers: Record<string, string> = {},
): Promise<boolean> {
  const { statusCode } = await api.app.inject({ url: '/api/v1/city', remoteAddress, headers })
  assert.ok(statusCode === 200 || statusCode === 429, String(statusCode))
  return statusCode === 200
}

test('each address has its own rate, this machine’s too, and a new one each second', async (t) => {
  const testApi = await createTestApi(t, { limits: { requestsPerSecond: 2 } })
  for (const address of ['192.0.2.1', '192.0.2.2', '127.0.0.1', '::1']) {
    assert.deepEqual(
      [await ask(testApi, address), await ask(testApi, address), await ask(testApi, address)],
      [true, true, false],
      address,
    )
  }
  testApi.clock.nowMs += 1_000
  assert.equal(await ask(testApi, '192.0.2.1'), true)
})

test('an IPv6 client is its /64: another address of it changes nothing', async (t) => {
  const testApi = await createTestApi(t, { limits: { requestsPerSecond: 1 } })
  assert.equal(await ask(testApi, '2001:db8:1:2::1'), true)
  for (const same of ['2001:db8:1:2::2', '2001:db8:1:2:ffff:ffff:ffff:ffff', '2001:db8:1:2:0:0:0:9'])
    assert.equal(await ask(testApi, same), false, same)
  assert.equal(await ask(testApi, '2001:db8:1:3::1'), true)
})

test('an IPv4 address told in IPv6 is the same client', async (t) => {
  const testApi = await createTestApi(t, { limits: { requestsPerSecond: 1 } })
  assert.equal(await ask(testApi, '192.0.2.9'), true)
  assert.equal(await ask(testApi, '::ffff:192.0.2.9'), false)
})

test('nobody is believed who says for whom they ask, unless their address is trusted', async (t) => {
  const testApi = await createTestApi(t, { limits: { requestsPerSecond: 1 } })
  assert.equal(await ask(testApi, '192.0.2.1', { 'x-forwarded-for': '198.51.100.1' }), true)
  for (const forged of ['198.51.100.2', '127.0.0.1', '', 'nonsense', '198.51.100.3, 127.0.0.1'])
    assert.equal(await ask(testApi, '192.0.2.1', { 'x-forwarded-for': forged }), false, forged)
})

test('clients behind a trusted proxy are told apart, and what they forge themselves does not count', async (t) => {
  const testApi = await createTestApi(t, {
    limits: { requestsPerSecond: 1 },
    trustedProxies: ['10.0.0.0/8', 'fd00::/8'],
  })
  const proxy = '10.1.2.3'
  assert.equal(await ask(testApi, proxy, { 'x-forwarded-for': '198.51.100.1' }), true)
  assert.equal(await ask(testApi, proxy, { 'x-forwarded-for': '198.51.100.2' }), true)
  assert.equal(await ask(testApi, proxy, { 'x-forwarded-for': '198.51.100.1' }), false)
  // The proxy adds whom it saw at the end; what stands before it came from the client.
  assert.equal(await ask(testApi, proxy, { 'x-forwarded-for': '203.0.113.77, 198.51.100.1' }), false)
  assert.equal(
    await ask(testApi, proxy, { 'x-forwarded-for': '203.0.113.78, 198.51.100.1, 10.9.9.9' }),
    false,
  )
  // Through two proxies, the second one known by IPv6.
  assert.equal(await ask(testApi, 'fd00::1', { 'x-forwarded-for': '198.51.100.3, 10.1.2.3' }), true)
  assert.equal(await ask(testApi, 'fd00::1', { 'x-forwarded-for': '198.51.100.3' }), false)
  // From elsewhere the same header is no more than text.
  assert.equal(await ask(testApi, '192.0.2.1', { 'x-forwarded-for': '198.51.100.50' }), true)
  assert.equal(await ask(testApi, '192.0.2.1', { 'x-forwarded-for': '198.51.100.51' }), false)
  // IPv6 clients behind it are limited by their /64 as well.
  assert.equal(await ask(testApi, proxy, { 'x-forwarded-for': '2001:db8::1' }), true)
  assert.equal(await ask(testApi, proxy, { 'x-forwarded-for': '2001:db8::2' }), false)
})

test('strangers who guess sessions are counted before anything is looked up', async (t) => {
  const { api } = await createTestApi(t, { limits: { requestsPerSecond: 2 } })
  const statuses: number[] = []
  for (let request = 0; request < 4; request++) {
    const headers = { cookie: `pulso_session=guess${request}` }
    statuses.push((await api.app.inject({ url: '/api/v1/ops/overview', headers })).statusCode)
  }
  assert.deepEqual(statuses, [401, 401, 429, 429])
})

test('a rate of 0 is no limit, and a flood of addresses does not grow without bound', () => {
  const clock = { now: () => 0 }
  const unlimited = createRateLimiter({ perSecond: 0, clock })
  assert.ok(Array.from({ length: 1_000 }, () => unlimited.take('a')).every(Boolean))
  const limited = createRateLimiter({ perSecond: 5, clock })
  const taken = Array.from({ length: 100_010 }, (_, index) => limited.take(`address-${index}`))
  assert.equal(taken.filter(Boolean).length, 100_000)
  assert.ok(limited.take('address-7'), 'who was there already goes on')
})
