import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { it } from 'node:test'
import type { CityView, HistoryView } from '@pulso/model'
import { getJson, getZones, waitForValues } from '../support/api.ts'
import { addDevice, ROOT, withBox, withFolder } from '../support/box.ts'
import { connectDevice } from '../support/mqtt.ts'

const TITLE = "{ en: 'Waste bin', es: 'Contenedor', fr: 'Poubelle' }"

/** A made-up kind: this text is all there is of it. */
const WASTE_BIN = `
import { defineKind } from ${JSON.stringify(join(ROOT, 'model/src/index.ts'))}

export default defineKind({
  id: 'wastebin',
  title: ${TITLE},
  plural: ${TITLE},
  metrics: {
    fillingLevel: { type: 'number', title: ${TITLE}, unit: '1', percent: true, min: 0, max: 1, decimals: 0, rollup: 'mean' },
  },
  intervalMs: 3_600_000,
  staleAfterIntervals: 3,
  offlineAfterIntervals: 24,
  states: [
    { id: 'empty', title: ${TITLE}, colour: '#009E73', symbol: '○' },
    { id: 'full', title: ${TITLE}, colour: '#D55E00', symbol: '●' },
    { id: 'unknown', title: ${TITLE}, colour: '#8A949E', symbol: '?' },
  ],
  toState: ({ values }) => (values.fillingLevel === undefined ? 'unknown' : values.fillingLevel > 0.8 ? 'full' : 'empty'),
  figures: [
    { id: 'full', title: ${TITLE}, of: 'count', state: 'full' },
    { id: 'level', title: ${TITLE}, of: 'mean', metric: 'fillingLevel' },
  ],
  headlineMetric: 'fillingLevel',
  order: 50,
  example: { fillingLevel: 0.3 },
  entity: { type: 'WasteContainer' },
})
`

it('a new kind needs one file only: it passes from MQTT to the API', async () => {
  await withFolder(async (kindsDir) => {
    writeFileSync(join(kindsDir, 'wastebin.ts'), WASTE_BIN)
    await withBox({ env: { PULSO_KINDS_DIR: kindsDir } }, async (box) => {
      const secret = await addDevice(box, [
        'bin-1',
        '--kind',
        'wastebin',
        '--lat',
        '43.4623',
        '--lon',
        '-3.81',
      ])
      const client = await connectDevice(box, secret)
      await client.publishAsync('pulso/wastebin/bin-1/telemetry', '{"fillingLevel":0.9,"batteryLevel":0.5}', {
        qos: 1,
      })
      const sensor = await waitForValues(box, 'bin-1', { fillingLevel: 0.9 })
      assert.equal(sensor.properties.state, 'full')

      const { kinds } = await getJson<CityView>(box, '/api/v1/city')
      assert.deepEqual(
        kinds.find(({ id }) => id === 'wastebin')?.states.map(({ id }) => id),
        ['empty', 'full', 'unknown'],
      )
      const total = (await getZones(box)).city.find(({ kind }) => kind === 'wastebin')
      assert.deepEqual(total?.figures, { full: 1, level: 0.9 })
      const { points } = await getJson<HistoryView>(box, '/api/v1/sensors/bin-1/history?metric=fillingLevel')
      assert.deepEqual(
        points.map(({ value }) => value),
        [0.9],
      )
      client.end(true)
    })
  })
})
