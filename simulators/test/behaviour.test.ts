import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, validateValues, type Kind } from '@pulso/model'
import carpark from '@pulso/model/kinds/carpark'
import environment from '@pulso/model/kinds/environment'
import lighting from '@pulso/model/kinds/lighting'
import parking from '@pulso/model/kinds/parking'
import { createBehaviours, planVirtualCity, type Behaviour, type PlannedSensor } from '../src/index.ts'
import { solarDayOf, solarElevationDegrees, twilightOf } from '../src/behaviour/sun.ts'
import { createDistricts } from '../src/districts.ts'
import { createLocalTime } from '../src/local-time.ts'
import { readSantander } from './cities.ts'

const city = await readSantander()
const SEED = 42
const sensors = planVirtualCity({ city, seed: SEED })
const behaviours = createBehaviours({ sensors, city, seed: SEED })
const ofKind = (kind: string): PlannedSensor[] => sensors.filter((sensor) => sensor.kind === kind)
const behaviourOf = ({ id }: PlannedSensor, all = behaviours): Behaviour => {
  const behaviour = all.get(id)
  assert.ok(behaviour)
  return behaviour
}

/** Tuesday, in winter time. */
const TUESDAY = '2026-03-10'
const at = (time: string): number => Date.parse(`${TUESDAY}T${time}+01:00`)
const NOON_MS = at('12:00')
const SANTANDER = { lat: 43.46, lon: -3.81 }

test('the same seed and time give the same readings, whenever the city was started', () => {
  const again = createBehaviours({ sensors, city, seed: SEED })
  for (const sensor of sensors) {
    const [one, other] = [behaviourOf(sensor), behaviourOf(sensor, again)]
    // Asked in another order and from another beginning.
    other.valuesAt(NOON_MS - 3 * DAY_MS)
    const times = one.reportTimes(NOON_MS - HOUR_MS, NOON_MS)
    const pieces = [
      ...other.reportTimes(NOON_MS - HOUR_MS, NOON_MS - 20 * MINUTE_MS),
      ...other.reportTimes(NOON_MS - 20 * MINUTE_MS, NOON_MS),
    ]
    assert.deepEqual(pieces, times)
    for (const timeMs of [...times, NOON_MS]) assert.deepEqual(other.valuesAt(timeMs), one.valuesAt(timeMs))
  }
  const otherSeed = createBehaviours({ sensors, city, seed: SEED + 1 })
  const statuses = (all: Map<string, Behaviour>): unknown[] =>
    ofKind('parking').map((sensor) => behaviourOf(sensor, all).valuesAt(NOON_MS).status)
  assert.notDeepEqual(statuses(otherSeed), statuses(behaviours))
})

test('everything that is sent is valid for its kind, at any hour of a week', () => {
  const kinds = new Map<string, Kind>(
    [parking, carpark, lighting, environment].map((kind) => [kind.id, kind]),
  )
  for (const sensor of sensors) {
    const kind = kinds.get(sensor.kind)
    assert.ok(kind)
    for (let timeMs = NOON_MS; timeMs < NOON_MS + 7 * DAY_MS; timeMs += 7 * HOUR_MS) {
      const values = behaviourOf(sensor).valuesAt(timeMs)
      const { rejections, unknown } = validateValues(kind, values, {
        values: {},
        attributes: sensor.attributes,
      })
      assert.deepEqual({ rejections, unknown }, { rejections: [], unknown: [] }, sensor.id)
    }
  }
})

test('nobody is silent for longer than their kind allows, but those that fail on purpose', () => {
  const longest = { parking: 30, carpark: 5, lighting: 15, environment: 5 }
  const silent = sensors.filter((sensor) => {
    const limitMs = longest[sensor.kind as keyof typeof longest] * MINUTE_MS
    const times = [
      NOON_MS,
      ...behaviourOf(sensor).reportTimes(NOON_MS, NOON_MS + 3 * HOUR_MS),
      NOON_MS + 3 * HOUR_MS,
    ]
    return times.some((timeMs, index) => timeMs - (times[index - 1] ?? timeMs) > limitMs)
  })
  assert.deepEqual(silent.map(({ kind }) => kind).sort(), ['environment', 'lighting', 'parking'])
})

test('the signs of life are spread evenly, so that no second brings a burst', () => {
  const perMinute = new Map<number, number>()
  for (const sensor of sensors) {
    for (const timeMs of behaviourOf(sensor).reportTimes(NOON_MS, NOON_MS + HOUR_MS)) {
      const minute = Math.floor(timeMs / MINUTE_MS)
      perMinute.set(minute, (perMinute.get(minute) ?? 0) + 1)
    }
  }
  const counts = [...perMinute.values()]
  assert.ok(Math.max(...counts) < 2 * Math.min(...counts), `${Math.min(...counts)} to ${Math.max(...counts)}`)
})

suite('bays', () => {
  const districts = createDistricts(city)
  const share = (profile: string, timeMs: number): number => {
    const bays = ofKind('parking').filter(({ position }) => districts.profileOf(position) === profile)
    const taken = bays.filter((bay) => behaviourOf(bay).valuesAt(timeMs).status === 'occupied')
    return taken.length / bays.length
  }
  test('fill in the centre on a Tuesday morning and empty at night', () => {
    assert.ok(share('centre', at('11:00')) > 0.75)
    assert.ok(share('centre', at('11:00')) > share('centre', at('04:00')) + 0.25)
  })
  test('are taken at night where people live', () => {
    assert.ok(share('residential', at('04:00')) > share('residential', at('11:00')) + 0.2)
  })
  test('are wanted at the beach on a Sunday afternoon', () => {
    const sunday = Date.parse('2026-07-12T17:00+02:00')
    assert.ok(share('leisure', sunday) > share('leisure', sunday - 12 * HOUR_MS) + 0.25)
  })
  test('change several times a minute at daytime, each time to the other state', () => {
    let changes = 0
    for (const bay of ofKind('parking')) {
      const behaviour = behaviourOf(bay)
      let before = behaviour.valuesAt(at('11:00')).status
      for (const timeMs of behaviour.reportTimes(at('11:00'), at('12:00'))) {
        const { status } = behaviour.valuesAt(timeMs)
        if (status !== before) changes += 1
        before = status
      }
    }
    assert.ok(changes / 60 > 4 && changes / 60 < 40, `${changes / 60} changes a minute`)
  })
  test('report a change in the very millisecond it happens', () => {
    for (const bay of ofKind('parking').slice(0, 50)) {
      const behaviour = behaviourOf(bay)
      const times = behaviour.reportTimes(NOON_MS, NOON_MS + DAY_MS)
      times.forEach((timeMs, index) => {
        const before = behaviour.valuesAt(timeMs - 1).status
        const previousMs = times[index - 1]
        if (previousMs !== undefined) assert.equal(before, behaviour.valuesAt(previousMs).status)
      })
    }
  })
  test('have one battery that is flat, and others that fall slowly', () => {
    const levels = ofKind('parking').map((bay) => Number(behaviourOf(bay).valuesAt(NOON_MS).batteryLevel))
    assert.equal(levels.filter((level) => level < 0.05).length, 1)
    assert.ok(Math.max(...levels) > 0.9)
    const later = ofKind('parking').map(
      (bay) => behaviourOf(bay).valuesAt(NOON_MS + 60 * DAY_MS).batteryLevel,
    )
    assert.ok(levels.filter((level, index) => Number(later[index]) < level).length > 550)
  })
})

test('car parks fill and empty with their district', () => {
  const free = (time: string): number =>
    ofKind('carpark').reduce(
      (sum, sensor) => sum + Number(behaviourOf(sensor).valuesAt(at(time)).availableSpotNumber),
      0,
    )
  assert.ok(free('04:00') > free('11:30') * 1.8, `${free('04:00')} at night, ${free('11:30')} at day`)
})

suite('lamps', () => {
  const healthy = ofKind('lighting').filter((lamp) => behaviourOf(lamp).valuesAt(NOON_MS).status === 'ok')
  const states = (timeMs: number): Set<unknown> =>
    new Set(healthy.map((lamp) => behaviourOf(lamp).valuesAt(timeMs).powerState))

  test('are off at noon, on in the evening and dimmed late at night', () => {
    assert.deepEqual([...states(NOON_MS)], ['off'])
    assert.deepEqual([...states(at('23:59'))], ['on'])
    assert.deepEqual([...states(at('03:00'))], ['low'])
  })
  test('are few that are defective', () => {
    const defective = ofKind('lighting').length - healthy.length
    assert.ok(defective >= 1 && defective <= 12, `${defective}`)
  })
  // As an independent ephemeris (XEphem's, by VSOP87) has them: the sun's centre 6° under the horizon.
  for (const [name, date, dusk, dawn] of [
    ['summer', '2026-06-21', '2026-06-21T20:35:30Z', '2026-06-21T03:58:37Z'],
    ['winter', '2026-12-21', '2026-12-21T17:14:34Z', '2026-12-21T07:12:02Z'],
  ] as const) {
    test(`switch within minutes of the real dusk and dawn at the ${name} solstice`, () => {
      const noonMs = Date.parse(`${date}T12:00:00Z`)
      const { dawnMs, duskMs } = twilightOf(SANTANDER, solarDayOf(SANTANDER, noonMs))
      assert.ok(Math.abs(duskMs - Date.parse(dusk)) < MINUTE_MS, new Date(duskMs).toISOString())
      assert.ok(Math.abs(dawnMs - Date.parse(dawn)) < MINUTE_MS, new Date(dawnMs).toISOString())
      assert.ok(Math.abs(solarElevationDegrees(SANTANDER, duskMs) + 6) < 0.05)
      assert.deepEqual([...states(duskMs - 5 * MINUTE_MS)], ['off'])
      assert.deepEqual([...states(duskMs + 5 * MINUTE_MS)], ['on'])
    })
  }
  test('report the switching within seconds of each other, not all at once', () => {
    const { duskMs } = twilightOf(SANTANDER, solarDayOf(SANTANDER, NOON_MS))
    const switches = healthy.flatMap((lamp) =>
      behaviourOf(lamp)
        .reportTimes(duskMs - 3 * MINUTE_MS, duskMs + 5 * MINUTE_MS)
        .filter(
          (timeMs) =>
            behaviourOf(lamp).valuesAt(timeMs - 1).powerState !==
            behaviourOf(lamp).valuesAt(timeMs).powerState,
        ),
    )
    assert.ok(switches.length >= healthy.length - 1)
    assert.ok(Math.max(...switches) - Math.min(...switches) > 60 * SECOND_MS)
  })
  test('count their energy without a step back, at the power that they report', () => {
    const lamp = healthy[0]
    assert.ok(lamp)
    const behaviour = behaviourOf(lamp)
    const energyAt = (timeMs: number): number => Number(behaviour.valuesAt(timeMs).energy)
    for (let timeMs = NOON_MS - 3 * DAY_MS; timeMs < NOON_MS; timeMs += 10 * MINUTE_MS) {
      assert.ok(energyAt(timeMs + 10 * MINUTE_MS) >= energyAt(timeMs))
    }
    const [fromMs, toMs] = [at('01:00'), at('03:00')]
    const watts = Number(behaviour.valuesAt(at('02:00')).powerConsumption)
    assert.ok(Math.abs(energyAt(toMs) - energyAt(fromMs) - (2 * watts) / 1_000) < 0.01)
    assert.ok(Math.abs(energyAt(at('15:00')) - energyAt(at('10:00'))) < 0.001)
  })
})

suite('stations', () => {
  const mean = (metric: string, areaType: string, times: readonly number[]): number => {
    const stations = ofKind('environment').filter(({ attributes }) => attributes.areaType === areaType)
    const values = stations.flatMap((sensor) =>
      times.map((timeMs) => Number(behaviourOf(sensor).valuesAt(timeMs)[metric])),
    )
    return values.reduce((sum, value) => sum + value, 0) / values.length
  }
  /** The same hour of twenty working days, so that the weather is averaged out. */
  const daysAt = (time: string): number[] =>
    Array.from({ length: 28 }, (_, day) => at(time) - day * DAY_MS).filter(
      (timeMs) => new Date(timeMs).getUTCDay() % 6 !== 0,
    )

  test('measure the traffic of the morning, more at main roads', () => {
    for (const metric of ['no2', 'pm10', 'LAeq']) {
      assert.ok(mean(metric, 'traffic', daysAt('09:00')) > mean(metric, 'traffic', daysAt('04:00')), metric)
      assert.ok(
        mean(metric, 'traffic', daysAt('09:00')) > mean(metric, 'background', daysAt('09:00')),
        metric,
      )
    }
  })
  test('measure ozone in the afternoon sun, less where exhaust eats it', () => {
    assert.ok(mean('o3', 'background', daysAt('15:00')) > mean('o3', 'background', daysAt('05:00')) + 5)
    assert.ok(mean('o3', 'traffic', daysAt('09:00')) < mean('o3', 'background', daysAt('09:00')))
  })
  test('feel the day and the season', () => {
    const temperature = (times: readonly number[]): number => mean('temperature', 'background', times)
    assert.ok(temperature(daysAt('15:00')) > temperature(daysAt('05:00')) + 2)
    const summer = daysAt('15:00').map((timeMs) => timeMs + 140 * DAY_MS)
    assert.ok(temperature(summer) > temperature(daysAt('15:00')) + 3)
  })
})

test('the local clock follows daylight saving', () => {
  const madrid = createLocalTime('Europe/Madrid')
  assert.equal(madrid.at(Date.parse('2026-01-15T11:30:00Z')).hour, 12.5)
  assert.equal(madrid.at(Date.parse('2026-07-15T11:30:00Z')).hour, 13.5)
  assert.equal(madrid.at(Date.parse('2026-03-29T12:00:00Z')).weekday, 0)
  assert.equal(madrid.startOfDayMs(Date.parse('2026-03-29T12:00:00Z')), Date.parse('2026-03-28T23:00:00Z'))
  assert.equal(createLocalTime('UTC').at(0).weekday, 4)
})

test('a kind that the virtual city does not play is refused', () => {
  const sensor = { id: 'x', kind: 'waste', name: 'x', position: SANTANDER, attributes: {} }
  assert.throws(() => createBehaviours({ sensors: [sensor], city, seed: 1 }), { code: 'no-behaviour' })
})
