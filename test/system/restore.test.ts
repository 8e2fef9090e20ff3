import assert from 'node:assert/strict'
import { cpSync, existsSync, mkdirSync, readdirSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { makeData, PLACE, pulso, refused, takeBackup } from '../support/backups.ts'
import { addDevice, startBox, withFolder, type BoxSetup } from '../support/box.ts'
import { connectDevice } from '../support/mqtt.ts'
import { skipDriver, withReadings } from '../support/readings-drivers.ts'

describe('a backup', () => {
  it(
    'with its readings in a server says so, and names the tools',
    { skip: skipDriver('influxdb') },
    async () => {
      await withReadings('influxdb', (env) =>
        withFolder(async (folder) => {
          const setup = { dataDir: join(folder, 'data'), env }
          await makeData(setup)
          const text = await pulso(['backup', join(folder, 'backups')], setup)
          assert.match(text, /influxd backup -portable -database pulso/)
          assert.match(text, /in InfluxDB \(pulso at http/)
        }),
      )
    },
  )

  it('is for its owner alone, is written under another name first, and overwrites nothing', async () => {
    await withFolder(async (folder) => {
      const setup = { dataDir: join(folder, 'data') }
      await makeData(setup)
      const { path } = await takeBackup(setup, join(folder, 'backups'))
      const modes = [path, ...readdirSync(path).map((name) => join(path, name))].map((file) =>
        (statSync(file).mode & 0o777).toString(8),
      )
      assert.deepEqual(modes, ['700', '600', '600', '600', '600'])
      assert.deepEqual(readdirSync(join(folder, 'backups')).length, 1)
      await refused(['backup', join(setup.dataDir, 'backups')], setup, /is in the data folder/)
      await refused(['backup', join(folder, 'x')], { dataDir: join(folder, 'nothing') }, /is no|There is no/)
      assert.ok(!existsSync(join(folder, 'nothing')))
      assert.deepEqual(readdirSync(join(folder, 'x')), [], 'what failed leaves nothing behind')
    })
  })
})

describe('a restore', () => {
  it('refuses a folder in use and one that is not empty; --force moves what is there aside', async () => {
    await withFolder(async (folder) => {
      const setup = { dataDir: join(folder, 'data') }
      const secret = await makeData(setup)
      const { path } = await takeBackup(setup, join(folder, 'backups'))
      await refused(['restore', path], setup, /is not empty \(.*registry\.sqlite.*--force/)

      const box = await startBox(setup)
      await addDevice(box, ['air-2', ...PLACE])
      await refused(['restore', path, '--force'], setup, /in use by another Pulso/)
      await box.stop()

      const text = await pulso(['restore', path, '--force'], setup)
      const aside = /before-restore-\S+Z/.exec(text)?.[0] ?? ''
      assert.ok(existsSync(join(setup.dataDir, aside, 'registry.sqlite')), text)
      assert.deepEqual(await listDevices(setup), ['air-1'])
      const again = await startBox(setup)
      const client = await connectDevice(again, secret)
      client.end(true)
      await again.stop()
    })
  })

  it('that was interrupted in the middle is finished by the next start', async () => {
    await withFolder(async (folder) => {
      const setup = { dataDir: join(folder, 'data') }
      await makeData(setup)
      const { path } = await takeBackup(setup, join(folder, 'backups'))
      const box = await startBox(setup)
      await addDevice(box, ['air-2', ...PLACE])
      await box.stop()
      // As a kill leaves it after the first of the new files has taken its place.
      const ready = join(setup.dataDir, 'restore.ready')
      cpSync(path, ready, { recursive: true })
      const files = readdirSync(ready).filter((name) => name !== 'backup.json')
      writeFileSync(join(ready, 'restore.json'), JSON.stringify({ files, aside: 'before-restore-1' }))
      mkdirSync(join(setup.dataDir, 'before-restore-1'))
      for (const name of ['journal.sqlite', 'registry.sqlite'])
        renameSync(join(setup.dataDir, name), join(setup.dataDir, 'before-restore-1', name))
      renameSync(join(ready, 'journal.sqlite'), join(setup.dataDir, 'journal.sqlite'))

      const again = await startBox(setup)
      await again.stop()
      assert.deepEqual(await listDevices(setup), ['air-1'])
      assert.ok(!existsSync(ready))
      assert.ok(existsSync(join(setup.dataDir, 'before-restore-1', 'readings.duckdb')))
    })
  })
})

async function listDevices(setup: BoxSetup): Promise<string[]> {
  const rows = JSON.parse(await pulso(['device', 'list', '--json'], setup)) as { device: string }[]
  return rows.map(({ device }) => device)
}
