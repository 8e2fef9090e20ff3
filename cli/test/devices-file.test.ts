import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { readDevicesFile } from '../src/administration/devices-file.ts'

let folder: string
before(async () => void (folder = await mkdtemp(join(tmpdir(), 'pulso-import-'))))
after(() => rm(folder, { recursive: true, force: true }))

async function read(name: string, content: string) {
  const path = join(folder, name)
  await writeFile(path, content)
  return readDevicesFile(path)
}

const BAY = { id: 'bay-1', kind: 'parking', name: 'By the door, left', position: { lat: 43.4, lon: -3.8 } }

describe('a file of devices', () => {
  it('is CSV with a header, in any order of columns, as spreadsheets write it', async () => {
    const { rows, mistakes } = await read(
      'a.csv',
      '\u{feff}name,id,kind,lat,lon,devEui,access,token\r\n"By the door, left",bay-1,parking,43.4,-3.8,,,\r\n,bay-2,parking,,,,,burnt-in\r\n',
    )
    assert.deepEqual(mistakes, [])
    assert.deepEqual(rows, [
      { place: 'a.csv:2', device: BAY },
      { place: 'a.csv:3', device: { id: 'bay-2', kind: 'parking', access: 'token', secret: 'burnt-in' } },
    ])
  })

  it('is a JSON array of objects', async () => {
    const { rows, mistakes } = await read(
      'a.json',
      JSON.stringify([
        { id: 'bay-1', kind: 'parking', name: BAY.name, lat: 43.4, lon: '-3.8', devEui: null },
        { id: 'gate', gateway: 'north-', access: 'certificate' },
      ]),
    )
    assert.deepEqual(mistakes, [])
    assert.deepEqual(rows, [
      { place: 'entry 1', device: BAY },
      { place: 'entry 2', device: { id: 'gate', gatewayPrefix: 'north-', access: 'certificate' } },
    ])
  })

  it('has each of its mistakes told with its line', async () => {
    const { rows, mistakes } = await read(
      'b.csv',
      [
        'id,kind,lat,lon,access,secret,token,devEui',
        'bay-1,parking,43.4,-3.8,,,,0011223344556677',
        ',parking,,,,,,',
        'bay-3,parking,"43,4",,,,,',
        'bay-4,parking,,,sometimes,,,',
        'bay-5,parking,,,,secret-5,token-5,',
        'bay-6,parking,,,password,,token-6,',
        'bay-1,parking,,,,,,00-11-22-33-44-55-66-77',
        'bay-8,parking',
        'bay-9,parking,,,token,token-6,,',
      ].join('\n'),
    )
    assert.deepEqual(
      rows.map(({ device }) => device.id),
      ['bay-1'],
    )
    for (const [line, words] of [
      [3, 'the id is missing'],
      [4, "lat is '43,4'"],
      [4, 'lat and lon go together'],
      [5, 'the access is one of'],
      [6, 'a secret and a token'],
      [7, 'a token is given'],
      [8, 'its id is that of b.csv:2'],
      [8, 'its DevEUI is that of b.csv:2'],
      [9, '2 cells'],
      [10, 'its token is that of b.csv:7'],
    ] as const) {
      assert.ok(
        mistakes.some((mistake) => mistake.startsWith(`b.csv:${line}: `) && mistake.includes(words)),
        `line ${line}: ${words} in ${mistakes.join('\n')}`,
      )
    }
  })

  it('whose columns are unknown, or that is empty or no such file, is refused in words', async () => {
    assert.match((await read('c.csv', 'id,latitude\na,1\n')).mistakes.join(), /unknown column 'latitude'/)
    assert.match((await read('d.csv', 'kind\nparking\n')).mistakes.join(), /'id' is missing/)
    assert.match((await read('e.csv', '')).mistakes.join(), /no devices/)
    assert.match(
      (await read('f.json', '[{"id":"a","place":1},2]')).mistakes.join(),
      /unknown column 'place'.*entry 2/,
    )
    await assert.rejects(read('g.json', '{"id":"a"}'), { code: 'import-unreadable', message: /array/ })
    await assert.rejects(read('h.json', '[{'), { code: 'import-unreadable', message: /h\.json/ })
    await assert.rejects(readDevicesFile(join(folder, 'none.csv')), { code: 'import-unreadable' })
  })
})
