import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { AIR_QUALITY_BANDS, airQualityIndex, airQualityLevel, type HourlyMean } from '../src/index.ts'

const full = (mean: number): HourlyMean => ({ mean, coverage: 1 })

describe('the air-quality index of 2025', () => {
  it('keeps a value on a bound in the lower level', () => {
    assert.equal(airQualityLevel('pm25', 5), 'good')
    assert.equal(airQualityLevel('pm25', 5.01), 'fair')
    assert.equal(airQualityLevel('no2', 25), 'fair')
    assert.equal(airQualityLevel('o3', 180), 'veryPoor')
    assert.equal(airQualityLevel('so2', 275.1), 'extremelyPoor')
  })

  it('uses the bands of 2025, not the ones still widely copied', () => {
    assert.deepEqual(AIR_QUALITY_BANDS.pm25, [5, 15, 50, 90, 140])
    assert.equal(airQualityLevel('pm25', 10), 'fair')
  })

  it('lets the worst pollutant decide', () => {
    const index = airQualityIndex({ no2: full(5), o3: full(130), pm25: full(3) }, { isTraffic: false })
    assert.deepEqual(index, { level: 'poor', pollutant: 'o3' })
  })

  it('needs NO2, O3 and a particulate, and only NO2 and a particulate beside traffic', () => {
    const withoutOzone = { no2: full(30), pm10: full(10) }
    assert.equal(airQualityIndex(withoutOzone, { isTraffic: false }), undefined)
    assert.deepEqual(airQualityIndex(withoutOzone, { isTraffic: true }), {
      level: 'moderate',
      pollutant: 'no2',
    })
    assert.equal(airQualityIndex({ o3: full(1), pm25: full(1) }, { isTraffic: true }), undefined)
  })

  it('leaves out a pollutant with less than three quarters of its hour', () => {
    const barely = { no2: full(5), o3: full(5), pm25: { mean: 200, coverage: 0.74 } }
    assert.equal(airQualityIndex(barely, { isTraffic: false }), undefined)
    const enough = { ...barely, pm25: { mean: 200, coverage: 0.75 } }
    assert.equal(airQualityIndex(enough, { isTraffic: false })?.level, 'extremelyPoor')
  })
})
