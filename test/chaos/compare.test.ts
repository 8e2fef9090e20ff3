import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { IngestState } from '@pulso/stores'
import type { ShownAggregates } from './support/aggregates.ts'
import { compare, type Comparison } from './support/compare.ts'
import { LIGHTING } from './support/kinds.ts'
import { createLedger, type Ledger } from './support/ledger.ts'
import type { ChaosSensor, Message, SensorUse } from './support/message.ts'
import type { StoredReading } from './support/stored.ts'

const lamp = (id: string, use: SensorUse): ChaosSensor => ({ id, kind: LIGHTING, use })
const LAMP = lamp('lamp', 'timed')
const CLOCKLESS = lamp('clockless', 'untimed')
const BROKEN = lamp('broken', 'bad')

function message(number: number, sensor: ChaosSensor, parts: Partial<Message> = {}): Message {
  return {
    number,
    intent: 'reading',
    qos: 1,
    sensor,
    topic: '',
    payload: '',
    readings: [],
    sends: 0,
    ...parts,
  }
}

const reading = (timeMs: number, energy: number): StoredReading => ({
  sensorId: 'lamp',
  timeMs,
  values: { energy },
})

/** A lamp that said 1 and 2, a sensor without a clock that said 3 and 4, and one that sent nonsense once. */
function tellAll(): Ledger {
  const ledger = createLedger()
  for (const sensor of [LAMP, CLOCKLESS, BROKEN]) ledger.addSensor(sensor)
  const all = [
    message(1, LAMP, { readings: [{ timeMs: 1_000, values: { energy: 1 } }] }),
    message(2, LAMP, { readings: [{ timeMs: 2_000, values: { energy: 2 } }] }),
    message(3, CLOCKLESS, { serial: 3 }),
    message(4, CLOCKLESS, { serial: 4 }),
    message(5, BROKEN),
  ]
  for (const each of all) {
    ledger.sent(each)
    ledger.acknowledged(each)
  }
  return ledger
}

const CLOCKLESS_ROWS: StoredReading[] = [
  { sensorId: 'clockless', timeMs: 7_000, values: { energy: 3 } },
  { sensorId: 'clockless', timeMs: 8_000, values: { energy: 4 } },
]
const ALL_ROWS = [reading(1_000, 1), reading(2_000, 2), ...CLOCKLESS_ROWS]

interface Found {
  ledger?: Ledger
  rows?: StoredReading[]
  states?: Record<string, [timeMs: number, energy: number]>
  quarantined?: Record<string, number>
  aggregates?: ShownAggregates[]
}

function look(found: Found): Promise<Comparison> {
  const { ledger = tellAll(), rows = ALL_ROWS, states, quarantined, aggregates = [] } = found
  const wanted = states ?? { lamp: [2_000, 2], clockless: [8_000, 4] }
  const list = Object.entries(wanted).map(([id, [timeMs, value]]) => [
    id,
    { values: { energy: { value, timeMs } } } as unknown as IngestState,
  ])
  return compare(ledger, {
    stored: { forEachReading: async (take) => rows.forEach(take) },
    registry: {
      states: new Map(list as [string, IngestState][]),
      quarantined: quarantined ?? { broken: 1 },
    },
    shown: [],
    aggregates,
  })
}

const typesOf = ({ problems }: Comparison): string[] => problems.map(({ type }) => type)

describe('the comparison after a kill', () => {
  it('finds nothing when all is there once', async () => {
    assert.deepEqual((await look({})).problems, [])
  })

  it('sees an acknowledged reading that is gone', async () => {
    assert.deepEqual(typesOf(await look({ rows: ALL_ROWS.slice(1) })), ['lost'])
    assert.deepEqual(typesOf(await look({ rows: ALL_ROWS.toSpliced(2, 1) })), ['lost'])
  })

  it('sees a reading that is there twice', async () => {
    const comparison = await look({ rows: [...ALL_ROWS, reading(1_000, 1)] })
    assert.deepEqual(typesOf(comparison), ['doubled'])
    const again = { ...CLOCKLESS_ROWS[0], timeMs: 7_001 } as StoredReading
    assert.deepEqual(typesOf(await look({ rows: [again, ...ALL_ROWS] })), ['doubled'])
  })

  it('sees a value that is not what was said last', async () => {
    const rows = ALL_ROWS.with(0, reading(1_000, 99))
    assert.deepEqual(typesOf(await look({ rows })), ['wrong-value'])
    const ledger = tellAll()
    const correction = message(6, LAMP, { readings: [{ timeMs: 1_000, values: { energy: 6 } }] })
    ledger.sent(correction)
    ledger.acknowledged(correction)
    assert.deepEqual(typesOf(await look({ ledger })), ['wrong-value'])
  })

  it('sees what nobody sent', async () => {
    assert.deepEqual(typesOf(await look({ rows: [reading(1_500, 1), ...ALL_ROWS] })), ['invented'])
  })

  it('sees a state that is older than what is stored', async () => {
    const states = { lamp: [1_000, 1], clockless: [8_000, 4] } as const
    assert.deepEqual(typesOf(await look({ states: states as unknown as NonNullable<Found['states']> })), [
      'wrong-state',
    ])
  })

  it('sees nonsense that is not in quarantine, or there too often', async () => {
    assert.deepEqual(typesOf(await look({ quarantined: {} })), ['wrong-quarantine'])
    assert.deepEqual(typesOf(await look({ quarantined: { broken: 2 } })), ['wrong-quarantine'])
  })

  it('sees an aggregate that the readings do not come to', async () => {
    const bucket = (fn: ShownAggregates['fn'], value: number | null): ShownAggregates => ({
      kind: LIGHTING.id,
      zone: null,
      metric: 'energy',
      step: '5m',
      fn,
      timeZone: 'Europe/Madrid',
      buckets: [{ from: '1970-01-01T00:00:00Z', to: '1970-01-01T00:05:00Z', value }],
    })
    const right = [
      bucket('count', 4),
      bucket('min', 1),
      bucket('max', 4),
      bucket('mean', 2.5),
      bucket('last', 4),
    ]
    assert.deepEqual((await look({ aggregates: right })).problems, [])
    const wrong = [bucket('count', 3), bucket('min', null), bucket('mean', 2.4), bucket('last', 2)]
    const types = typesOf(await look({ aggregates: wrong }))
    assert.deepEqual(types, Array<string>(wrong.length).fill('wrong-aggregate'))
  })

  it('forgives what no one can tell apart: without a time, sent twice', async () => {
    const ledger = tellAll()
    const twice = message(7, CLOCKLESS, { serial: 7, sends: 1 })
    ledger.sent(twice)
    ledger.acknowledged(twice)
    const at = (timeMs: number): StoredReading => ({ sensorId: 'clockless', timeMs, values: { energy: 7 } })
    const rows = [at(5_000), at(6_000), ...ALL_ROWS]
    const comparison = await look({ ledger, rows })
    assert.deepEqual(typesOf(comparison), [])
    assert.equal(comparison.indistinguishable, 1)
    assert.deepEqual(typesOf(await look({ ledger, rows: [at(4_000), ...rows] })), ['doubled'])
  })
})
