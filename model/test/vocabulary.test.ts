import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import parking from '@pulso/model/kinds/parking'
import {
  createZoneIndex,
  formatDuration,
  HOUR_MS,
  MINUTE_MS,
  nextFreshnessChangeMs,
  parseDuration,
  parseTime,
  parseRoute,
  parseTopic,
  toDeviceApiTopic,
  toCurrentState,
  toFreshness,
  toTopic,
  type SensorState,
} from '../src/index.ts'
import { parseCity } from '../src/schemas.ts'

describe('topics', () => {
  it('are read and written alike', () => {
    for (const channel of ['telemetry', 'senml', 'presence', 'command', 'command/result'] as const) {
      const topic = { kind: 'parking', sensorId: 'a.b:c-1', channel }
      assert.deepEqual(parseTopic(toTopic(topic)), topic)
    }
  })

  it('that are not ours are nobody’s', () => {
    const wrong = [
      '',
      'pulso',
      'pulso/parking/a',
      'pulso//a/telemetry',
      'x/parking/a/telemetry',
      'pulso/parking/a b/telemetry',
      'pulso/parking//telemetry',
      'pulso/parking/é/telemetry',
    ]
    wrong.push(
      'pulso/parking/a/telemetry/',
      'pulso/parking/a/other',
      `pulso/parking/${'a'.repeat(65)}/telemetry`,
    )
    for (const topic of wrong) assert.equal(parseTopic(topic), undefined, topic)
  })

  it('tells our topics from ThingsBoard’s and from those of LoRaWAN networks', () => {
    const own = { kind: 'bin', sensorId: 's', channel: 'telemetry' } as const
    assert.deepEqual(parseRoute(toTopic(own)), { type: 'own', ...own })
    assert.deepEqual(parseRoute(toDeviceApiTopic('s-1')), { type: 'device-api', sensorId: 's-1' })
    assert.deepEqual(parseRoute('v3/parking@city/devices/eui-1/up'), {
      type: 'uplink',
      network: 'the-things-stack',
    })
    assert.deepEqual(parseRoute('application/1/device/00112233445566aa/event/up'), {
      type: 'uplink',
      network: 'chirpstack',
    })
    const wrong = [
      'v3/a/devices/b/join',
      'application/1/device/2/event/status',
      'v1/devices/a b/telemetry',
      'x',
    ]
    for (const topic of wrong) assert.equal(parseRoute(topic), undefined, topic)
  })
})

describe('time', () => {
  it('is ISO 8601 with a zone, or epoch milliseconds', () => {
    assert.equal(parseTime('2026-03-29T02:30:00+02:00'), Date.UTC(2026, 2, 29, 0, 30))
    assert.equal(parseTime('2028-02-29T12:00:00Z'), Date.UTC(2028, 1, 29, 12))
    assert.equal(parseTime(1_790_000_000_000), 1_790_000_000_000)
    const wrong = [
      '2026-03-29T02:30:00',
      '2026-03-29',
      'now',
      '',
      null,
      {},
      Number.NaN,
      1_790_000_000,
      1.79e15,
      '2026-13-01T00:00:00Z',
      '2026-02-29T00:00:00Z',
      '2026-04-31T23:59:59+02:00',
    ]
    for (const raw of wrong) assert.equal(parseTime(raw), undefined, JSON.stringify(raw))
  })

  it('is written as durations by people', () => {
    assert.equal(parseDuration('7d'), 7 * 24 * HOUR_MS)
    assert.equal(parseDuration('1.5h'), 90 * MINUTE_MS)
    assert.throws(() => parseDuration('7 years'), { code: 'invalid-duration' })
    assert.equal(formatDuration(90 * MINUTE_MS), '1 h 30 min')
    assert.equal(formatDuration(0), '0 s')
  })
})

describe('freshness', () => {
  const rules = { kind: parking, attributes: {} }
  const state = (timeMs: number): SensorState => ({
    sensorId: 'a',
    kind: parking.id,
    timeMs,
    receivedAtMs: timeMs,
    values: { status: { value: 'free', timeMs } },
    hourly: {},
    presence: null,
  })

  it('goes from fresh over stale to offline with the kind’s intervals', () => {
    const at = (ageMs: number) => toFreshness(rules, 0, ageMs)
    assert.equal(at(parking.intervalMs * parking.staleAfterIntervals), 'fresh')
    assert.equal(at(parking.intervalMs * parking.staleAfterIntervals + 1), 'stale')
    assert.equal(at(parking.intervalMs * parking.offlineAfterIntervals + 1), 'offline')
    assert.equal(toFreshness(rules, undefined, 0), 'offline')
  })

  it('follows a sensor’s own interval before its kind’s', () => {
    assert.equal(
      toFreshness({ kind: parking, attributes: { intervalMs: MINUTE_MS } }, 0, 10 * MINUTE_MS),
      'stale',
    )
  })

  it('turns a state into unknown, never free, once it is offline', () => {
    assert.equal(toCurrentState(rules, state(0), HOUR_MS), 'free')
    assert.equal(toCurrentState(rules, state(0), 24 * HOUR_MS), 'unknown')
    assert.equal(toCurrentState(rules, undefined, 0), 'unknown')
  })

  it('knows when it changes next', () => {
    const staleAtMs = nextFreshnessChangeMs(rules, 0, 0)
    assert.equal(toFreshness(rules, 0, staleAtMs), 'fresh')
    assert.equal(toFreshness(rules, 0, staleAtMs + 1), 'stale')
    assert.equal(nextFreshnessChangeMs(rules, 0, 1000 * HOUR_MS), Infinity)
  })
})

describe('zones', () => {
  const square = (x: number): [number, number][] => [
    [x, 0],
    [x + 1, 0],
    [x + 1, 1],
    [x, 1],
    [x, 0],
  ]
  const hole: [number, number][] = [
    [0.4, 0.4],
    [0.6, 0.4],
    [0.6, 0.6],
    [0.4, 0.4],
  ]

  it('find a position, outside and in a hole none', () => {
    const index = createZoneIndex([
      { id: 'west', name: 'West', geometry: { type: 'Polygon', coordinates: [square(0), hole] } },
      {
        id: 'east',
        name: 'East',
        geometry: { type: 'MultiPolygon', coordinates: [[square(2)], [square(4)]] },
      },
    ])
    assert.equal(index.find({ lon: 0.1, lat: 0.5 }), 'west')
    assert.equal(index.find({ lon: 0.59, lat: 0.5 }), null)
    assert.equal(index.find({ lon: 4.5, lat: 0.5 }), 'east')
    assert.equal(index.find({ lon: 9, lat: 9 }), null)
    assert.equal(index.find(null), null)
  })

  it('and everything else in a city file are checked, every mistake in one message', () => {
    const city = {
      name: 'X',
      timeZone: 'Mars/Olympus',
      bounds: [0, 0, 1, 1],
      languages: ['en'],
      zones: [
        { id: 'a', name: 'A', geometry: { type: 'Polygon', coordinates: [square(0)] } },
        { id: 'a', name: 'B', geometry: { type: 'Polygon', coordinates: [square(50)] } },
        { id: 'c', name: 'C', geometry: { type: 'Polygon', coordinates: [[[0, 0]]] } },
      ],
    }
    assert.throws(
      () => parseCity(city, 'x.json'),
      (error: { code: string; details: string[]; message: string }) => {
        assert.equal(error.code, 'invalid-city')
        assert.equal(error.details.length, 4)
        assert.match(error.message, /Mars\/Olympus/)
        assert.match(error.message, /swapped/)
        return true
      },
    )
    assert.throws(() => parseCity({ name: '', zone: [] }, 'x.json'), { code: 'invalid-city' })
    assert.throws(() => parseCity(null, 'x.json'), { code: 'invalid-city' })
  })
})
