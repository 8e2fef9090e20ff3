import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import carpark from '@pulso/model/kinds/carpark'
import environment from '@pulso/model/kinds/environment'
import lighting from '@pulso/model/kinds/lighting'
import parking from '@pulso/model/kinds/parking'
import { AppError, defineKind, toKinds, validateValues, type Kind, type StateInput } from '../src/index.ts'

const nothing = { values: {}, attributes: {} }
const input = (over: Partial<StateInput>): StateInput => ({ values: {}, hourly: {}, attributes: {}, ...over })

describe('validateValues', () => {
  it('refuses one bad metric alone and keeps the rest', () => {
    const result = validateValues(environment, { pm25: 8, co: 500, temperature: '12' }, nothing)
    assert.deepEqual(result.values, { pm25: 8 })
    assert.deepEqual(
      result.rejections.map(({ metric, reason }) => [metric, reason]),
      [
        ['co', 'out-of-range'],
        ['temperature', 'wrong-type'],
      ],
    )
  })

  it('counts what it does not know and passes over null', () => {
    const result = validateValues(parking, { status: 'free', colour: 'red', rssi: null }, nothing)
    assert.deepEqual(result, { values: { status: 'free' }, rejections: [], unknown: ['colour'] })
  })

  it('does not take inherited names for metrics', () => {
    const payload = JSON.parse(
      '{"__proto__": {"status": "free"}, "constructor": 1, "toString": 2}',
    ) as Record<string, unknown>
    assert.deepEqual(validateValues(parking, payload, nothing).values, {})
  })

  it('refuses a state that there is not, and numbers that are none', () => {
    const reasons = (raw: Record<string, unknown>, kind: Kind) =>
      validateValues(kind, raw, nothing).rejections.map(({ reason }) => reason)
    assert.deepEqual(reasons({ status: 'vacant' }, parking), ['unknown-value'])
    assert.deepEqual(reasons({ status: true }, parking), ['wrong-type'])
    assert.deepEqual(reasons({ illuminanceLevel: 80 }, lighting), ['out-of-range'])
    assert.deepEqual(reasons({ availableSpotNumber: 1.5 }, carpark), ['wrong-type'])
  })

  it('refuses more free spaces than there are, by the message, the last one or the registry', () => {
    const reason = (raw: Record<string, unknown>, known = nothing) =>
      validateValues(carpark, raw, known).rejections[0]?.reason
    assert.equal(reason({ availableSpotNumber: 8259, totalSpotNumber: 140 }), 'over-capacity')
    assert.equal(
      reason({ availableSpotNumber: 141 }, { values: { totalSpotNumber: 140 }, attributes: {} }),
      'over-capacity',
    )
    assert.equal(
      reason({ availableSpotNumber: 141 }, { values: {}, attributes: { totalSpotNumber: 140 } }),
      'over-capacity',
    )
    assert.equal(reason({ availableSpotNumber: 140, totalSpotNumber: 140 }), undefined)
    assert.deepEqual(
      validateValues(carpark, { availableSpotNumber: 8259, totalSpotNumber: 140 }, nothing).values,
      {
        totalSpotNumber: 140,
      },
    )
  })

  it('quotes only the beginning of a stranger’s text', () => {
    const { rejections } = validateValues(parking, { status: 'x'.repeat(50_000) }, nothing)
    assert.ok((rejections[0]?.detail.length ?? 0) < 200)
  })
})

describe('how a sensor stands', () => {
  it('is never free when nothing is known', () => {
    assert.equal(parking.toState(input({})), 'unknown')
    assert.equal(carpark.toState(input({})), 'unknown')
    assert.equal(lighting.toState(input({})), 'unknown')
    assert.equal(environment.toState(input({})), 'unknown')
  })

  it('follows from a car park’s numbers', () => {
    const state = (values: StateInput['values']) => carpark.toState(input({ values }))
    assert.equal(state({ availableSpotNumber: 0, totalSpotNumber: 100 }), 'full')
    assert.equal(state({ availableSpotNumber: 4, totalSpotNumber: 100 }), 'almostFull')
    assert.equal(state({ availableSpotNumber: 5, totalSpotNumber: 100 }), 'spacesAvailable')
    assert.equal(state({ availableSpotNumber: 50, status: 'closed' }), 'closed')
    assert.equal(state({ status: 'fullAtEntrance' }), 'full')
  })

  it('shows a defect before the light', () => {
    assert.equal(
      lighting.toState(input({ values: { powerState: 'on', status: 'defectiveLamp' } })),
      'defective',
    )
    assert.equal(lighting.toState(input({ values: { powerState: 'low', status: 'ok' } })), 'low')
  })

  it('says that there is no index when too little was measured', () => {
    assert.equal(environment.toState(input({ values: { temperature: 12 } })), 'notAvailable')
  })
})

describe('a kind file', () => {
  it('is checked when it is loaded, every mistake at once', () => {
    const broken = { ...parking, id: 'Bad Id', states: [], staleAfterIntervals: 9, offlineAfterIntervals: 2 }
    assert.throws(
      () =>
        defineKind({
          ...broken,
          metrics: { time: { type: 'state', title: parking.title, values: [], rollup: 'share' } },
        }),
      (error) => error instanceof AppError && error.code === 'invalid-kind' && error.details.length >= 5,
    )
  })

  it('names figures and states that are there, where it says what is free', () => {
    const availability = { place: 'sensor', free: 'free', total: 'spaces', closed: ['shut'] } as const
    const metrics = { status: parking.metrics.status ?? assert.fail() }
    const defined = () => defineKind({ ...parking, metrics, availability })
    assert.throws(defined, {
      code: 'invalid-kind',
      details: [
        "availability.free 'free' must be a figure that is a sum",
        "availability.total 'spaces' must be a figure that is a sum",
        "availability.closed 'shut' is not in states",
      ],
    })
  })

  it('has texts, colours and an example that its own rules accept', () => {
    for (const kind of [parking, carpark, lighting, environment]) {
      const { rejections, unknown } = validateValues(kind, kind.example, nothing)
      assert.deepEqual({ rejections, unknown }, { rejections: [], unknown: [] }, kind.id)
      for (const { colour } of kind.states) assert.match(colour, /^#[0-9A-F]{6}$/)
    }
  })

  it('cannot be there twice', () => {
    assert.throws(() => toKinds([parking, parking]), { code: 'duplicate-kind' })
  })
})

describe('entities', () => {
  it('refuses an entity that names what its kind does not have', () => {
    const entity = {
      type: 'ParkingSpot',
      attributes: { colour: 'color' },
      state: { attribute: 'status', values: ['gone'] },
      zone: {
        type: 'OnStreetParking',
        reference: 'refParkingSite',
        figures: { none: 'availableSpotNumber' },
      },
    }
    assert.throws(
      () => defineKind({ ...parking, metrics: {}, example: {}, entity }),
      (error: unknown) => error instanceof AppError && error.details.length === 3,
    )
  })
})
