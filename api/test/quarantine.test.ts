import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { QuarantinePage, QuarantinePurged, QuarantineReplay, QuarantineTotals } from '@pulso/model'
import type { QuarantineEntry, Registry } from '@pulso/stores'
import { NO_OPERATIONS, NOON_MS } from './helper.ts'
import { codeOf, createLoggedIn, createOperatorApi } from './operator-api.ts'

const REPLAYED = { entries: 2, messages: 1, refused: 1, settled: true, next: { after: 2, through: 9 } }

test('the quarantine shows what arrived as text, newest first', async (t) => {
  const { ask, registry } = await createLoggedIn(t)
  await keep(registry, toEntry('a'), toEntry('b', Buffer.from([0x7b, 0xff, 0x00])), toEntry('a'))
  const first = (await ask('quarantine?limit=2')).body as QuarantinePage
  assert.deepEqual(
    first.entries.map(({ sensor, payload, hex }) => [sensor, payload, hex]),
    [
      ['a', '{"fillLevel":9}', null],
      ['b', '{\ufffd\0', '7bff00'],
    ],
  )
  const rest = (await ask(`quarantine?limit=2&before=${first.next}`)).body as QuarantinePage
  assert.deepEqual([rest.entries.length, rest.next], [1, null])
  const some = (await ask('quarantine?sensor=b&reason=out-of-range')).body as QuarantinePage
  assert.equal(some.entries.length, 1)
  assert.equal(codeOf(await ask('quarantine?reason=mood')), 'invalid-request')
})

test('its totals say how often, since when and what was last, also where entries had to go', async (t) => {
  const { ask, registry, get } = await createLoggedIn(t)
  await keep(registry, ...Array.from({ length: 130 }, (_, n) => toEntry('a', undefined, NOON_MS + n)))
  await keep(registry, toEntry('b', undefined, NOON_MS - 1))
  const { totals, ...all } = (await ask('quarantine/totals')).body as QuarantineTotals
  assert.deepEqual(all, { entries: 101, bytes: 101 * 15, dropped: 30 })
  assert.deepEqual(totals[0], {
    id: totals[0]?.id,
    reason: 'out-of-range',
    sensor: 'a',
    metric: 'fillLevel',
    count: 130,
    kept: 100,
    firstReceivedAt: '2026-05-31T12:00:00.000Z',
    lastReceivedAt: '2026-05-31T12:00:00.129Z',
    sample: {
      detail: 'fillLevel 9 is outside 0 to 1',
      topic: 'pulso/bins/a/telemetry',
      payload: '{"fillLevel":9}',
    },
  })
  const page = (await ask(`quarantine?total=${totals[1]?.id}`)).body as QuarantinePage
  assert.deepEqual(
    page.entries.map(({ sensor }) => sensor),
    ['b'],
  )
  const metrics = (await get('/metrics')).text
  assert.match(metrics, /^pulso_quarantine_dropped_total 30$/m)
  assert.match(metrics, /^pulso_quarantine_entries 101$/m)
  assert.match((await get('/metrics')).text, /^pulso_quarantine_dropped_total 30$/m)
})

test('deleting takes what is selected, and nothing that came later', async (t) => {
  const { ask, tell, registry } = await createLoggedIn(t)
  await keep(registry, toEntry('a'), toEntry('b'), toEntry('a'))
  assert.deepEqual((await tell('quarantine/purge', { sensor: 'a', through: 1 })).body, {
    removed: 1,
    next: null,
  } satisfies QuarantinePurged)
  assert.equal(codeOf(await tell('quarantine/purge', { sensors: ['a'] })), 'invalid-request')
  assert.equal(codeOf(await tell('quarantine/purge', { receivedBefore: 'yesterday' })), 'invalid-request')
  const before = new Date(NOON_MS).toISOString()
  assert.deepEqual((await tell('quarantine/purge', { receivedBefore: before })).body, {
    removed: 0,
    next: null,
  })
  assert.deepEqual((await tell('quarantine/purge', {})).body, { removed: 2, next: null })
  assert.deepEqual(((await ask('quarantine/totals')).body as QuarantineTotals).totals, [])
})

test('many are deleted in steps that tell how to go on', async (t) => {
  const { tell, registry } = await createLoggedIn(t)
  for (let n = 0; n < 12; n++) await keep(registry, ...Array.from({ length: 100 }, () => toEntry(`s${n}`)))
  const first = (await tell('quarantine/purge', {})).body as QuarantinePurged
  assert.deepEqual(first, { removed: 1_000, next: { through: 1_200 } })
  await keep(registry, toEntry('late'))
  assert.deepEqual((await tell('quarantine/purge', { ...first.next })).body, { removed: 200, next: null })
  assert.deepEqual((await registry.countQuarantine()).bySensor, { late: 1 })
})

test('a replay is handed on and its outcome told', async (t) => {
  const asked: QuarantineReplay[] = []
  const { tell } = await createLoggedIn(t, {
    operations: {
      ...NO_OPERATIONS,
      async replayQuarantine(selection) {
        asked.push(selection)
        return REPLAYED
      },
    },
  })
  const selection = { reason: 'out-of-range', total: 7, after: 3, through: 9 }
  assert.deepEqual((await tell('quarantine/replay', selection)).body, REPLAYED)
  assert.deepEqual(asked, [selection])
  assert.equal(codeOf(await tell('quarantine/replay', { reason: 'mood' })), 'invalid-request')
})

test('nobody deletes or replays without a session, or from another site’s page', async (t) => {
  const { post } = await createOperatorApi(t)
  const { tell, registry } = await createLoggedIn(t)
  await keep(registry, toEntry('a'))
  for (const action of ['purge', 'replay']) {
    assert.equal(codeOf(await post(`/api/v1/ops/quarantine/${action}`, {})), 'no-session')
    const foreign = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }
    assert.equal(codeOf(await tell(`quarantine/${action}`, {}, foreign)), 'cross-origin')
  }
  assert.equal((await registry.countQuarantine()).entries, 1)
})

async function keep(registry: Registry, ...quarantine: QuarantineEntry[]): Promise<void> {
  await registry.commitIngest({ position: 1, newSensors: [], states: [], quarantine })
}

function toEntry(
  sensorId: string,
  payload: Uint8Array = Buffer.from('{"fillLevel":9}'),
  receivedAtMs = NOON_MS,
): QuarantineEntry {
  return {
    receivedAtMs,
    reason: 'out-of-range',
    detail: 'fillLevel 9 is outside 0 to 1',
    topic: `pulso/bins/${sensorId}/telemetry`,
    sensorId,
    metric: 'fillLevel',
    payload,
  }
}
