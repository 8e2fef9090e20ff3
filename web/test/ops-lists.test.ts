import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { OpsSensor, QuarantineView } from '@pulso/model'
import type { OpsApi, SensorsQuestion } from '../src/ops/ops-api.ts'
import { appendOlder, mergeNewest } from '../src/ops/quarantine-list.ts'
import { askSensors, NO_FILTERS, type Sort } from '../src/ops/sensor-list.ts'

const going = new AbortController().signal
const WORST_FIRST: Sort = { key: 'condition', isDescending: false }

function createSensor(id: string, change: Partial<OpsSensor> = {}): OpsSensor {
  return {
    id,
    kind: 'bench',
    name: null,
    zone: null,
    placed: true,
    state: 'fine',
    freshness: 'fresh',
    presence: null,
    batteryLevel: null,
    rssi: null,
    time: '2026-03-01T12:00:00.000Z',
    receivedAt: '2026-03-01T12:00:00.000Z',
    quarantined: 0,
    ...change,
  }
}

/** Answers like the box: filters, orders the longest silent first, gives pages. */
function createBox(sensors: readonly OpsSensor[]) {
  const asked: SensorsQuestion[] = []
  const api: Pick<OpsApi, 'sensors'> = {
    async sensors(question) {
      asked.push(question)
      const fitting = sensors
        .filter(({ freshness }) => question.freshness === undefined || freshness === question.freshness)
        .toSorted((one, other) => ((one.time ?? '') < (other.time ?? '') ? -1 : 1))
      const start = Number(question.cursor ?? 0)
      const end = start + question.limit
      return {
        time: '2026-03-01T12:00:00.000Z',
        total: fitting.length,
        sensors: fitting.slice(start, end),
        next: end < fitting.length ? String(end) : null,
      }
    },
  }
  return { api, asked }
}

describe('the list of sensors', () => {
  const quiet = createSensor('quiet', { time: '2026-03-01T08:00:00.000Z' })
  const dead = createSensor('dead', { freshness: 'offline', time: '2026-03-01T09:00:00.000Z' })
  const never = createSensor('never', { freshness: 'offline', time: null })
  const late = createSensor('late', { freshness: 'stale', time: '2026-03-01T11:00:00.000Z' })
  const ids = (list: { sensors: readonly OpsSensor[] }) => list.sensors.map(({ id }) => id)

  it('puts what is wrong first, whatever silence is normal for a kind', async () => {
    const { api } = createBox([quiet, late, dead, never])
    const list = await askSensors(api, { filters: NO_FILTERS, sort: WORST_FIRST, limit: 10 }, going)
    assert.deepEqual(ids(list), ['never', 'dead', 'late', 'quiet'])
    assert.equal(list.total, 4)
    assert.equal(list.hasMore, false)
  })

  it('counts what it has not loaded, and says that there is more', async () => {
    const { api } = createBox([quiet, late, dead, never])
    const list = await askSensors(api, { filters: NO_FILTERS, sort: WORST_FIRST, limit: 2 }, going)
    assert.deepEqual(ids(list), ['never', 'dead'])
    assert.equal(list.total, 4)
    assert.equal(list.hasMore, true)
  })

  it('loads everything before it orders by what the box cannot order by', async () => {
    const many = Array.from({ length: 1_200 }, (_, index) =>
      createSensor(`s${index}`, { quarantined: index === 1_150 ? 9 : 0 }),
    )
    const { api, asked } = createBox(many)
    const sort: Sort = { key: 'quarantined', isDescending: true }
    const list = await askSensors(api, { filters: NO_FILTERS, sort, limit: 200 }, going)
    assert.equal(list.sensors.length, 1_200)
    assert.equal(list.sensors[0]?.id, 's1150')
    assert.ok(asked.every(({ limit }) => limit <= 1_000))
  })

  it('keeps rows without a value last in either direction', async () => {
    const { api } = createBox([
      createSensor('none'),
      createSensor('weak', { rssi: -110 }),
      createSensor('strong', { rssi: -50 }),
    ])
    for (const [isDescending, expected] of [
      [false, ['weak', 'strong', 'none']],
      [true, ['strong', 'weak', 'none']],
    ] as const) {
      const sort: Sort = { key: 'rssi', isDescending }
      assert.deepEqual(ids(await askSensors(api, { filters: NO_FILTERS, sort, limit: 10 }, going)), expected)
    }
  })

  it('shows the sensors of one state, with their own count', async () => {
    const { api } = createBox([quiet, createSensor('odd', { state: 'broken' })])
    const filters = { ...NO_FILTERS, state: 'broken' }
    const list = await askSensors(api, { filters, sort: WORST_FIRST, limit: 10 }, going)
    assert.deepEqual(ids(list), ['odd'])
    assert.equal(list.total, 1)
  })

  it('lists a sensor once though it moved between two pages', async () => {
    const pages: OpsSensor[][] = [
      [dead, late],
      [late, quiet],
    ]
    const api: Pick<OpsApi, 'sensors'> = {
      async sensors({ cursor }) {
        const sensors = pages[cursor === undefined ? 0 : 1] ?? []
        return { time: '', total: 3, sensors, next: cursor === undefined ? 'more' : null }
      },
    }
    const sort: Sort = { key: 'id', isDescending: false }
    assert.deepEqual(ids(await askSensors(api, { filters: NO_FILTERS, sort, limit: 10 }, going)), [
      'dead',
      'late',
      'quiet',
    ])
  })

  it('asks for no further page once nobody wants the answer', async () => {
    const { api, asked } = createBox([quiet, late])
    const gone = AbortSignal.abort()
    await assert.rejects(askSensors(api, { filters: NO_FILTERS, sort: WORST_FIRST, limit: 10 }, gone))
    assert.equal(asked.length, 0)
  })
})

describe('the quarantine’s list', () => {
  const entry = (id: number): QuarantineView => ({
    id,
    receivedAt: '2026-03-01T12:00:00.000Z',
    reason: 'invalid-json',
    detail: '',
    topic: '',
    sensor: null,
    metric: null,
    payload: '',
    hex: null,
  })
  const entries = (...ids: number[]) => ids.map(entry)
  const idsOf = (list: { entries: readonly QuarantineView[] }) => list.entries.map(({ id }) => id)

  it('puts new entries before those that somebody is reading', () => {
    const known = { entries: entries(5, 4, 3, 2, 1), next: null }
    const merged = mergeNewest(known, { entries: entries(7, 6, 5), next: 5 })
    assert.deepEqual(idsOf(merged), [7, 6, 5, 4, 3, 2, 1])
    assert.equal(merged.next, null)
  })

  it('stays the same list while nothing is new', () => {
    const known = { entries: entries(5, 4, 3, 2), next: 2 }
    assert.equal(mergeNewest(known, { entries: entries(5, 4), next: 4 }), known)
  })

  it('begins anew instead of hiding a hole when more came than a page holds', () => {
    const known = { entries: entries(3, 2), next: 2 }
    const merged = mergeNewest(known, { entries: entries(9, 8, 7), next: 7 })
    assert.deepEqual(idsOf(merged), [9, 8, 7])
    assert.equal(merged.next, 7)
  })

  it('forgets what the box has forgotten', () => {
    const known = { entries: entries(3, 2, 1), next: null }
    assert.deepEqual(idsOf(mergeNewest(known, { entries: entries(4, 3), next: null })), [4, 3])
  })

  it('puts older entries behind, each once', () => {
    const known = { entries: entries(5, 4), next: 4 }
    assert.deepEqual(idsOf(appendOlder(known, { entries: entries(4, 3), next: 3 })), [5, 4, 3])
  })
})
