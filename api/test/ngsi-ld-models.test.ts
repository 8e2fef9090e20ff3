import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { toKinds } from '@pulso/model'
import carpark from '@pulso/model/kinds/carpark'
import environment from '@pulso/model/kinds/environment'
import lighting from '@pulso/model/kinds/lighting'
import parking from '@pulso/model/kinds/parking'
import { createTestApi, toSensor, toState } from './helper.ts'

const MODELS = join(import.meta.dirname, '../../../shared/data/models')
const skip = existsSync(MODELS) ? false : 'the models’ examples are not on this machine'

type Attribute = Record<string, unknown> & { type: string; value?: unknown; unitCode?: string }
type Entity = Record<string, unknown> & { id: string; type: string }

/** Attributes that the models define and their examples happen not to show. */
const NOT_IN_EXAMPLES: Readonly<Record<string, readonly string[]>> = {
  OffStreetParking: ['areaServed', 'status'],
  OnStreetParking: ['name'],
  ParkingSpot: ['areaServed'],
  AirQualityObserved: ['name', 'pm25', 'pm10', 'o3'],
  NoiseLevelObserved: ['name', 'areaServed'],
  Streetlight: ['name', 'illuminanceLevel'],
}

const SENSORS = [
  toSensor('bay', { kind: 'parking', name: 'A-13' }),
  toSensor('garage', { kind: 'carpark', name: 'Trindade', attributes: { totalSpotNumber: 414 } }),
  toSensor('air', { kind: 'environment', name: 'Plaza' }),
  toSensor('lamp', { kind: 'lighting', name: 'Lamp 1' }),
]

function readExample(name: string): Entity {
  return JSON.parse(readFileSync(join(MODELS, name), 'utf8')) as Entity
}

test('entities are written as the models’ own examples write them', { skip }, async (t) => {
  const testApi = await createTestApi(t, {
    sensors: SENSORS,
    kinds: toKinds([parking, carpark, environment, lighting]),
  })
  testApi.api.applyStates([
    toState('bay', { status: 'free' }, { kind: 'parking' }),
    toState('garage', { availableSpotNumber: 132 }, { kind: 'carpark' }),
    toState(
      'air',
      {
        pm25: 8,
        pm10: 12,
        no2: 69,
        o3: 60,
        so2: 11,
        co: 0.5,
        temperature: 12,
        relativeHumidity: 0.5,
        LAeq: 67,
      },
      { kind: 'environment' },
    ),
    toState(
      'lamp',
      { powerState: 'off', status: 'ok', powerConsumption: 10, energy: 93, illuminanceLevel: 0.5 },
      { kind: 'lighting' },
    ),
  ])
  const types = Object.keys(NOT_IN_EXAMPLES)
  for (const type of types) {
    const normalized = readExample(`${type}_examples_example-normalized.jsonld`)
    const simplified = readExample(`${type}_examples_example.jsonld`)
    const full =
      ((await testApi.get(`/ngsi-ld/v1/entities?type=${type}`)).body as Entity[])[0] ?? assert.fail(type)
    const url = `/ngsi-ld/v1/entities?type=${type}&options=keyValues`
    const plain = ((await testApi.get(url)).body as Entity[])[0] ?? assert.fail(type)
    assert.equal(full.type, normalized.type)
    assert.match(full.id, new RegExp(`^urn:ngsi-ld:${type}:`))
    let compared = 0
    for (const [name, written] of Object.entries(full)) {
      if (name === 'id' || name === 'type') continue
      if (!(name in normalized) && !(name in simplified)) {
        assert.ok(NOT_IN_EXAMPLES[type]?.includes(name), `${type} has no ${name}`)
        continue
      }
      compared += 1
      const about = `${type}.${name}`
      const { type: form, unitCode } = written as Attribute
      const theirs = normalized[name] as Attribute | undefined
      if (theirs) assert.equal(form, theirs.type, about)
      if (theirs?.unitCode !== undefined) assert.equal(unitCode, theirs.unitCode, about)
      if (name in simplified) assert.equal(toForm(plain[name]), toForm(simplified[name]), about)
    }
    assert.ok(compared >= 2, `${type}: only ${compared} attributes to compare`)
  }
})

test('a bay has what its model requires', { skip }, async (t) => {
  const testApi = await createTestApi(t, { sensors: SENSORS })
  // Never heard of: the model requires these all the same.
  const { body } = await testApi.get('/ngsi-ld/v1/entities/urn:ngsi-ld:ParkingSpot:bay?options=keyValues')
  for (const name of ['id', 'type', 'location', 'status', 'category', 'refParkingSite'])
    assert.ok(name in (body as Entity), name)
})

/** What kind of JSON it is; a place of any form is a place. */
function toForm(value: unknown): string {
  if (Array.isArray(value)) return 'list'
  if (typeof value === 'string' && /^\d{4}-\d{2}-\d{2}T/.test(value)) return 'time'
  return typeof value
}
