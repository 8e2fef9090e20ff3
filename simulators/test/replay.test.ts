import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test, type TestContext } from 'node:test'
import { DAY_MS, HOUR_MS, WEEK_MS, parseTime, systemClock } from '@pulso/model'
import {
  createReplay,
  openReplay,
  type RecordedRow,
  type ReplayOptions,
  type ReplaySource,
} from '../src/index.ts'
import { GATEWAY, silentLogger, startBroker, type TestBroker } from './broker.ts'

const LOTS = [
  'place_id,place_name,city,capacity,lat,lon,coord_source',
  'town-A,Garage A,Town,100,51.05,13.74,map',
  'town-B,Garage B,Town,,51.06,13.75,map',
]
const MONDAY = [
  'timestamp,town-A,town-B,town-Übergroß mit einem Namen, der keiner ist',
  '2024-06-10T00:00:01+00:00,40,7,',
  '2024-06-10T00:15:01+00:00,-3,,',
  '2024-06-10T00:30:02+00:00,140,8,1',
]
MONDAY[0] = MONDAY[0]?.replace(', der', ' der') ?? ''

async function writeFolder(context: TestContext, files: Record<string, string[]>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'pulso-replay-'))
  context.after(() => rm(folder, { recursive: true }))
  for (const [name, lines] of Object.entries(files))
    await writeFile(join(folder, name), `${lines.join('\n')}\n`)
  return folder
}

async function listRows(source: ReplaySource, range = {}): Promise<RecordedRow[]> {
  const rows: RecordedRow[] = []
  for await (const row of source.rows(range)) rows.push(row)
  return rows
}

function optionsFor(
  broker: TestBroker,
  source: ReplaySource,
  more: Partial<ReplayOptions> = {},
): ReplayOptions {
  return {
    source,
    speed: 'max',
    clock: systemClock,
    logger: silentLogger,
    mqttUrl: broker.url,
    ...GATEWAY,
    ...more,
  }
}

suite('a recorded week of car parks', () => {
  test('gives the car parks that have values, with what the list of lots knows', async (context) => {
    const path = await writeFolder(context, { 'lots_with_coordinates.csv': LOTS, '2024-06-10.csv': MONDAY })
    const source = await openReplay({ path })
    assert.equal(source.rowCount, 6)
    assert.deepEqual(
      source.sensors.map(({ id, name, attributes }) => [id, name, attributes]),
      [
        ['town-A', 'Garage A', { totalSpotNumber: 100, city: 'Town' }],
        ['town-B', 'Garage B', { city: 'Town' }],
        ['town-Ubergro-mit-einem-Namen-der-keiner-ist', null, {}],
      ],
    )
  })

  test('keeps an id that is too long unique by a hash', async (context) => {
    const [long, other] = [`${'x'.repeat(70)}1`, `${'x'.repeat(70)}2`]
    const day = [`timestamp,${long},${other}`, '2024-06-10T00:00:01+00:00,1,2']
    const path = await writeFolder(context, { 'lots_with_coordinates.csv': LOTS, '2024-06-10.csv': day })
    const { sensors } = await openReplay({ path, idPrefix: 'de-' })
    assert.equal(new Set(sensors.map(({ id }) => id)).size, 2)
    assert.ok(sensors.every(({ id }) => /^de-x[A-Za-z0-9._:-]{1,61}$/.test(id)))
  })

  test('is played for some sensors alone when told whose', async (context) => {
    const path = await writeFolder(context, { 'lots_with_coordinates.csv': LOTS, '2024-06-10.csv': MONDAY })
    const source = await openReplay({ path, idPrefix: 'de-', only: 'town-B' })
    assert.deepEqual(
      source.sensors.map(({ id }) => id),
      ['de-town-B'],
    )
    assert.equal((await listRows(source)).length, source.rowCount)
    assert.equal(source.rowCount, 2)
    await assert.rejects(openReplay({ path, only: 'city' }), { code: 'replay-empty', message: /'city'/ })
  })

  test('names mistakes by file and line, and passes over them', async (context) => {
    const day = [
      'timestamp,town-A,town-B',
      '2024-06-10T00:00:01+00:00,1,2',
      'yesterday,1,2',
      '2024-06-10T00:30:01+00:00,1',
      '2024-06-10T00:45:01+00:00,many,3',
    ]
    const path = await writeFolder(context, { 'lots_with_coordinates.csv': LOTS, '2024-06-10.csv': day })
    const source = await openReplay({ path })
    assert.equal(source.rowCount, 3)
    assert.equal(source.malformed.count, 3)
    assert.deepEqual(
      source.malformed.examples.map((example) => example.slice(0, 17)),
      ['2024-06-10.csv:3:', '2024-06-10.csv:4:', '2024-06-10.csv:5:'],
    )
  })

  test('says what was expected of a folder, a file or a table that is none', async (context) => {
    const path = await writeFolder(context, {
      'lots_with_coordinates.csv': ['id,lat'],
      'other.csv': ['a,b', '1,2'],
      '2024-06-10.csv': MONDAY,
    })
    await assert.rejects(openReplay({ path }), {
      code: 'replay-columns',
      message: /lacks the columns place_id/,
    })
    await assert.rejects(openReplay({ path: join(path, 'other.csv') }), {
      code: 'replay-not-recognised',
      message: /first line is 'a,b'.*expected a folder/,
    })
    await assert.rejects(openReplay({ path: join(path, 'nothing') }), { code: 'replay-not-found' })
    await rm(join(path, 'lots_with_coordinates.csv'))
    await assert.rejects(openReplay({ path }), { code: 'replay-not-recognised', message: /is missing/ })
  })

  test('is played as it stands, shifted by whole weeks to now', async (context) => {
    const path = await writeFolder(context, { 'lots_with_coordinates.csv': LOTS, '2024-06-10.csv': MONDAY })
    const broker = await startBroker()
    const source = await openReplay({ path })
    const nowMs = Date.parse('2026-11-20T12:00:00Z')
    const clock = { now: () => nowMs }
    const summary = await createReplay(optionsFor(broker, source, { clock })).start()
    assert.deepEqual(
      {
        rows: summary.rows,
        messages: summary.messages,
        finished: summary.finished,
        refused: summary.refused,
      },
      { rows: 6, messages: 6, finished: true, refused: { 'out-of-range': 1, 'over-capacity': 1 } },
    )
    const recorded = await listRows(source)
    const sent = broker.received.map(({ sensorId, objects }): Record<string, unknown> => ({
      sensorId,
      ...objects[0],
    }))
    assert.deepEqual(
      sent.map((message) => ({ ...message, time: undefined })),
      recorded.map(({ sensorId, values }) => ({ sensorId, time: undefined, ...values })),
    )
    for (const [index, { time }] of sent.entries()) {
      const sentMs = parseTime(time) ?? 0
      assert.equal((sentMs - (recorded[index]?.timeMs ?? 0)) % WEEK_MS, 0)
      assert.ok(sentMs <= nowMs && sentMs > nowMs - WEEK_MS)
    }
    await broker.stop()
  })

  test('keeps its times when told to, and plays a part alone', async (context) => {
    const path = await writeFolder(context, { 'lots_with_coordinates.csv': LOTS, '2024-06-10.csv': MONDAY })
    const broker = await startBroker()
    const source = await openReplay({ path })
    const fromMs = Date.parse('2024-06-10T00:15:00Z')
    const toMs = Date.parse('2024-06-10T00:30:00Z')
    const replay = createReplay(optionsFor(broker, source, { keepTime: true, fromMs, toMs }))
    assert.equal((await replay.start()).rows, 1)
    assert.equal(broker.received[0]?.objects[0]?.time, '2024-06-10T00:15:01.000Z')
    await assert.rejects(createReplay(optionsFor(broker, source, { fromMs: toMs + DAY_MS })).start(), {
      code: 'replay-empty',
    })
    await broker.stop()
  })

  test('warns before starting that rows lie beyond the clock limits, and counts them', async (context) => {
    const path = await writeFolder(context, { 'lots_with_coordinates.csv': LOTS, '2024-06-10.csv': MONDAY })
    const broker = await startBroker()
    const source = await openReplay({ path })
    const clock = { now: () => Date.parse('2024-06-21T00:00:00Z') }
    const clockLimits = { pastMs: 2 * DAY_MS, futureMs: HOUR_MS }
    const replay = createReplay(optionsFor(broker, source, { clock, clockLimits }))
    const { warnings, segments } = await replay.plan()
    assert.deepEqual(
      segments.map(({ shiftMs }) => shiftMs),
      [WEEK_MS],
    )
    assert.match(warnings.join(), /PULSO_CLOCK_PAST=5d/)
    assert.equal((await replay.start()).refused.clock, 6)
    await broker.stop()
  })

  test('keeps the recorded pace, tells its progress and stops when told', async (context) => {
    const path = await writeFolder(context, { 'lots_with_coordinates.csv': LOTS, '2024-06-10.csv': MONDAY })
    const broker = await startBroker()
    const source = await openReplay({ path })
    const replay = createReplay(
      optionsFor(broker, source, { speed: 1, onProgress: () => void replay.stop() }),
    )
    const summary = await replay.start()
    assert.deepEqual([summary.finished, summary.rows], [false, 2])
    await broker.stop()
  })

  test('gives up with a reason when the credential may not publish for the recording', async (context) => {
    const path = await writeFolder(context, { 'lots_with_coordinates.csv': LOTS, '2024-06-10.csv': MONDAY })
    const broker = await startBroker(() => false)
    const source = await openReplay({ path })
    await assert.rejects(createReplay(optionsFor(broker, source)).start(), { code: 'mqtt-publish-refused' })
    await assert.rejects(createReplay(optionsFor(broker, source, { password: 'no' })).start(), {
      code: 'mqtt-refused',
    })
    await broker.stop()
  })
})

suite('a recorded month of air quality', () => {
  const HEADER =
    '"Station","AirQuality","Longitude","Latitude","O3Hour","O3Quality","O3Value","NO2Hour","NO2Quality","NO2Value","PM10Hour","PM10Quality","PM10Value","Generated","DateTime"'
  const fetched = (time: string): number => Date.parse(time) / 1_000 + 302
  const row = ([o3, no2]: [string, string], time: string, latitude = '41.3853'): string =>
    `"Barcelona - Eixample","Good",2.1538,${latitude},${o3},${no2},NA,NA,NA,"",${fetched(time)}`
  const openRows = async (context: TestContext, rows: string[]): Promise<ReplaySource> =>
    openReplay({ path: join(await writeFolder(context, { 'air.csv': [HEADER, ...rows] }), 'air.csv') })

  test('takes each pollutant at its own hour of the local day', async (context) => {
    const source = await openRows(context, [
      row(['"20h","Good",30', '"18h","Good",55'], '2018-11-02T21:00:00Z'),
    ])
    const rows = await listRows(source)
    assert.deepEqual(
      rows.map(({ timeMs, values }) => [new Date(timeMs).toISOString(), values]),
      [
        ['2018-11-02T17:00:00.000Z', { no2: 55 }],
        ['2018-11-02T19:00:00.000Z', { o3: 30 }],
      ],
    )
  })

  test('puts an hour that had not ended when it was published before midnight', async (context) => {
    const source = await openRows(context, [
      row(['NA,NA,NA', '"0h","Good",41'], '2018-11-02T23:00:00Z'),
      row(['NA,NA,NA', '"0h","Good",58'], '2018-11-03T00:00:00Z'),
      row(['NA,NA,NA', '"0h","Good",NA'], '2018-11-03T01:00:00Z'),
    ])
    const rows = await listRows(source)
    assert.deepEqual(
      rows.map(({ timeMs, values }) => [new Date(timeMs).toISOString(), values.no2]),
      [
        ['2018-11-02T22:00:00.000Z', 41],
        ['2018-11-02T23:00:00.000Z', 58],
      ],
    )
  })

  test('knows a station as hourly, at the first position that can be one', async (context) => {
    const source = await openRows(context, [
      row(['"20h","Good",30', 'NA,NA,NA'], '2018-11-02T21:00:00Z', '413853'),
      row(['"21h","Good",31', 'NA,NA,NA'], '2018-11-02T22:00:00Z'),
      row(['"noon","Good",31', 'NA,NA,NA'], '2018-11-02T23:00:00Z'),
    ])
    assert.equal(source.malformed.count, 1)
    assert.match(source.malformed.examples[0] ?? '', /^air\.csv:4: .*noon/)
    assert.deepEqual(source.sensors, [
      {
        id: 'Barcelona-Eixample',
        kind: 'environment',
        name: 'Barcelona - Eixample',
        position: { lat: 41.3853, lon: 2.1538 },
        attributes: { intervalMs: HOUR_MS, areaType: 'traffic' },
      },
    ])
  })

  test('names the columns that a table lacks', async (context) => {
    const header = HEADER.replace('"DateTime"', '"Fetched"')
    const path = join(await writeFolder(context, { 'air.csv': [header] }), 'air.csv')
    await assert.rejects(openReplay({ path }), {
      code: 'replay-columns',
      message: /lacks the columns DateTime/,
    })
  })
})
