import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { toIsoTime, type LiveEvent } from '@pulso/model'
import fc from 'fast-check'
import { waitFor } from '../../test/support/wait.ts'
import { createCurrentState, type Changes } from '../src/current/current-state.ts'
import type { Entry } from '../src/current/entry.ts'
import type { Group } from '../src/current/groups.ts'
import { matches, type SensorFilter } from '../src/http/query.ts'
import { createDelta } from '../src/live/delta.ts'
import { createHeldBytes } from '../src/live/held-bytes.ts'
import { createSeats } from '../src/live/seats.ts'
import { createTransfers } from '../src/live/transfer.ts'
import type { Reader } from '../src/live/reader.ts'
import { toPlain } from '../src/live/wire.ts'
import { toWish } from '../src/live/wish.ts'
import { city, createTestApi, EAST, kinds, NOON_MS, toSensor, toState, WEST, type TestApi } from './helper.ts'
import { FAST, openRaw, toRequest, untilClients } from './live-support.ts'

const degrees = fc.double({ min: 0, max: 1, noNaN: true })
const place = fc.option(fc.record({ lon: degrees, lat: degrees }), { nil: null, freq: 5 })
const kind = fc.constantFrom('bins', 'parking', 'carpark')
const filter: fc.Arbitrary<SensorFilter> = fc.record(
  {
    kinds: fc.uniqueArray(kind, { minLength: 1 }).map((names) => new Set(names)),
    bbox: fc
      .tuple(degrees, degrees, degrees, degrees)
      .map(([a, b, c, d]): [number, number, number, number] => [
        Math.min(a, b),
        Math.min(c, d),
        Math.max(a, b),
        Math.max(c, d),
      ]),
  },
  { requiredKeys: [] },
)

const parse = (chunk: Buffer): LiveEvent =>
  JSON.parse(/^data: (.*)$/m.exec(toPlain(chunk).toString())?.[1] ?? assert.fail()) as LiveEvent

test('a view’s delta holds exactly the sensors that its filter names, whatever the filter', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ kind, before: place, after: fc.option(place) }), { maxLength: 40 }),
      fc.array(filter, { minLength: 1, maxLength: 5 }),
      (sensors, filters): void => {
        const clock = { now: () => NOON_MS }
        const current = createCurrentState({ zones: city.zones, kinds, clock })
        const put = (index: number, kindId: string, position: (typeof sensors)[number]['before']): void =>
          void current.putSensors([toSensor(`s${index}`, { kind: kindId, position, name: 'Ñandú 🚲' })])
        sensors.forEach((sensor, index) => put(index, sensor.kind, sensor.before))
        current.takeChanges()
        sensors.forEach((sensor, index) => {
          if (sensor.after !== null) put(index, sensor.kind, sensor.after)
        })
        const changes: Changes | undefined = current.takeChanges()
        if (!changes) return
        const delta = createDelta(changes, { id: 'run-2', nowMs: NOON_MS })
        for (const wanted of filters) {
          const chunk: Buffer | undefined = delta.bytesFor(toWish(wanted))
          const expected: Entry[] = changes.entries.filter(
            (entry) =>
              matches(entry, wanted) ||
              (entry.movedAt === changes.sequence &&
                entry.previousPosition !== null &&
                matches({ ...entry, sensor: { ...entry.sensor, position: entry.previousPosition } }, wanted)),
          )
          const groups: Group[] = changes.groups.filter((group) => wanted.kinds?.has(group.kind.id) ?? true)
          assert.equal(chunk === undefined, expected.length === 0 && groups.length === 0)
          if (!chunk) continue
          assert.equal(parseInt(chunk.toString('latin1', 0, 8), 16), toPlain(chunk).length)
          const event = parse(chunk)
          assert.deepEqual(
            event.sensors.map(({ id }) => id).sort(),
            expected.map(({ sensor }) => sensor.id).sort(),
          )
          assert.equal(event.zones.length + event.city.length, groups.length)
        }
      },
    ),
    { numRuns: 200 },
  )
})

test('a gathered event is the same in pieces as it would be whole', () => {
  const current = createCurrentState({ zones: city.zones, kinds, clock: { now: () => NOON_MS } })
  const ids = Array.from({ length: 700 }, (_, index) => `s${String(index).padStart(3, '0')}`)
  current.putSensors(
    ids.map((id, index) => toSensor(id, { position: index % 3 === 0 ? EAST : WEST, name: 'é'.repeat(300) })),
  )
  const { zones, city: sums } = current.groups()
  const transfers = createTransfers()
  const eastern = toWish({ bbox: [-3.8, 43.4, -3.7, 43.5] })
  for (const wish of [toWish({}), eastern, toWish({ kinds: new Set(['parking']) }), toWish({})]) {
    const transfer = transfers.gather({
      event: { name: 'snapshot', id: 'run-1', nowMs: NOON_MS },
      wish,
      entries: current.list(),
      groups: [...zones, ...sums],
      since: Infinity,
    })
    const pieces: Buffer[] = []
    for (let piece = transfer?.next(); piece; piece = transfer?.next()) pieces.push(toPlain(piece))
    for (const piece of pieces) assert.ok(piece.length < 200_000, `${piece.length} bytes at once`)
    const text = Buffer.concat(pieces).toString()
    const event = JSON.parse(/^data: (.*)$/m.exec(text)?.[1] ?? assert.fail()) as LiveEvent
    const expected = current.list().filter((entry) => matches(entry, wish.filter))
    assert.deepEqual(
      event.sensors.map(({ id }) => id),
      expected.map(({ sensor }) => sensor.id),
    )
    assert.equal(event.time, toIsoTime(NOON_MS))
    assert.ok(text.endsWith('\n\n'))
  }
})

test('readers of one view are written the same bytes, and a sensor is encoded once for all views', () => {
  const current = createCurrentState({ zones: city.zones, kinds, clock: { now: () => NOON_MS } })
  current.putSensors([toSensor('a'), toSensor('b', { position: EAST })])
  current.takeChanges()
  let encoded = 0
  const values = { fillLevel: 0.9 }
  current.applyStates([toState('a', values), toState('b', values)])
  const changes = current.takeChanges() ?? assert.fail()
  for (const entry of changes.entries) {
    const { sensor } = entry
    // Asked for when a feature is put into words, and at no other time of a tick.
    entry.sensor = {
      ...sensor,
      get name() {
        encoded += 1
        return null
      },
    }
  }
  const delta = createDelta(changes, { id: 'run-2', nowMs: NOON_MS })
  const boxes = Array.from({ length: 100 }, (_, index): [number, number, number, number] => [
    -4,
    43,
    -3 + index / 1e3,
    44,
  ])
  for (const bbox of boxes) delta.bytesFor(toWish({ bbox }))
  assert.equal(encoded, 2)
  const nowhere = boxes.slice(0, 2).map((_, index) => delta.bytesFor(toWish({ bbox: [1, 1, 2, 2 + index] })))
  assert.equal(nowhere[0], nowhere[1], 'views that see none of it share one event')
})

test('one address takes so many places and no more, this machine as many as there are', () => {
  const seats = createSeats({ liveClients: 5, liveClientsPerAddress: 2 })
  const key = seats.take('2001:db8:0:1::1')
  seats.take('2001:db8:0:1::2')
  assert.throws(() => seats.take('2001:db8:0:1:ffff::3'), {
    code: 'too-many-live-clients-of-address',
    status: 429,
  })
  seats.take('2001:db8:0:2::1')
  for (let count = 0; count < 2; count++) seats.take('::ffff:127.0.0.1')
  assert.throws(() => seats.take('192.0.2.1'), { code: 'too-many-live-clients', status: 503 })
  seats.leave(key)
  seats.take('2001:db8:0:1::1')
  assert.equal(seats.taken, 5)
})

test('memory that several readers hold is counted once, until the last of them lets go', () => {
  const held = createHeldBytes()
  const [a, b] = [{}, {}] as [Reader, Reader]
  const shared = Buffer.alloc(1_000)
  held.hold(a, shared)
  held.hold(a, shared)
  held.hold(b, shared)
  assert.equal(held.total, 1_000)
  held.hold(a, Buffer.alloc(10))
  assert.equal(held.total, 1_010)
  held.hold(b, undefined)
  held.hold(a, undefined)
  assert.equal(held.total, 0)
})

/** More than the kernel's buffers between us and a reader hold. */
const MANY = Array.from({ length: 3_000 }, (_, index) =>
  toSensor(`s${index}`, { position: index === 1 ? EAST : WEST, name: 'n'.repeat(8_000) }),
)

async function openFrozen(t: TestContext, testApi: TestApi, count: number): Promise<void> {
  for (let index = 0; index < count; index++) {
    const reader = await openRaw(t, testApi, toRequest('/api/v1/live'))
    reader.socket.pause()
  }
}

test('readers that take nothing hold a piece each, not the snapshot', async (t) => {
  const testApi = await createTestApi(t, { sensors: MANY, limits: FAST })
  await openFrozen(t, testApi, 5)
  await untilClients(testApi, 5)
  let most = 0
  // Until the kernel takes no more of any of them.
  let before = -1
  await waitFor(
    async () => {
      const text = await testApi.metrics.metrics()
      const unsent = Number(/^pulso_live_unsent_bytes (\d+)$/m.exec(text)?.[1])
      most = Math.max(most, unsent)
      const isStill = unsent > 0 && unsent === before
      before = unsent
      return isStill
    },
    { what: 'five frozen readers', everyMs: 100 },
  )
  assert.ok(most <= 5 * 64 * 1024, `${most} bytes for 5 readers of a snapshot of 24 MB`)
})

test('what all readers hold together is bounded: who has been waited for longest goes first', async (t) => {
  const limits = { ...FAST, liveUnsentBytes: 100 * 1024 }
  const testApi = await createTestApi(t, { sensors: MANY, limits })
  const reader = await openRaw(t, testApi, toRequest('/api/v1/live?bbox=-3.79,43.4,-3.7,43.5'))
  await reader.until(/event: snapshot/)
  await openFrozen(t, testApi, 6)
  await waitFor(
    async () =>
      Number(/dropped_total\{reason="memory"\} (\d+)/.exec(await testApi.metrics.metrics())?.[1] ?? 0) >= 3,
    { what: 'readers to be let go' },
  )
  testApi.api.applyStates([toState('s1', { fillLevel: 0.9 })])
  await reader.until(/event: delta/)
})

test('a delta too large for one write reaches its readers whole', async (t) => {
  const testApi = await createTestApi(t, { sensors: MANY.slice(0, 300), limits: FAST })
  for (const [round, version] of ['1.0', '1.1'].entries()) {
    const timeMs = NOON_MS + round * 1_000
    const reader = await openRaw(t, testApi, toRequest('/api/v1/live', { version }))
    await reader.until(/event: snapshot[^]*\n\n/)
    // Live from the next tick on.
    testApi.api.applyStates([toState('s0', { fillLevel: 0.1 }, { timeMs })])
    await reader.until(/event: delta[^]*\n\n/)
    const before = reader.text().length
    testApi.api.applyStates(
      Array.from({ length: 300 }, (_, index) =>
        toState(`s${index}`, { fillLevel: 0.9 }, { timeMs: timeMs + 1 }),
      ),
    )
    const text = await waitFor(
      () => {
        const rest = reader.text().slice(before)
        return rest.includes('"city":') && rest.includes('\n\n') ? rest : undefined
      },
      { what: 'the large delta' },
    )
    const data = /data: (.*)\n\n/.exec(text)?.[1] ?? assert.fail()
    assert.equal((JSON.parse(data) as LiveEvent).sensors.length, 300)
  }
})
