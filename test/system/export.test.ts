import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { DuckDBInstance } from '@duckdb/node-api'
import { PLACE, pulso, refused } from '../support/backups.ts'
import { addDevice, boxEnvironment, ROOT, startBox, withFolder, type RunningBox } from '../support/box.ts'
import { connectDevice } from '../support/mqtt.ts'
import { READINGS_DRIVERS, skipDriver, withReadings } from '../support/readings-drivers.ts'
import { waitFor } from '../support/wait.ts'

const FIRST_MS = Date.now() - 60_000
const COUNT = 200
const toTime = (n: number): string => new Date(FIRST_MS + n).toISOString()

interface Manifest {
  pulso: string
  period: { from: string; to: string }
  files: { name: string; rows: number; bytes: number; sha256: string; columns?: { name: string }[] }[]
}

for (const driver of READINGS_DRIVERS) {
  describe(`an export of the whole city, with ${driver}`, { skip: skipDriver(driver) }, () => {
    it('has all that was published and no secret, from a running box and from a stopped one', async () => {
      await withReadings(driver, (env) =>
        withFolder(async (folder) => {
          await using stack = new AsyncDisposableStack()
          const setup = { dataDir: join(folder, 'data'), env }
          const box = await startStoppable(stack, setup)
          const secret = await addDevice(box, ['air-1', ...PLACE])
          await publish(box, secret)
          const download = await (await fetch(`${box.http}/api/v1/export/environment.csv`)).text()

          const running = await exportTo(join(folder, 'running'), setup)
          const lines = running.csv.trimEnd().split('\r\n')
          const published = Array.from({ length: COUNT }, (_, n) => [toTime(n), 'air-1', String(n / 10)])
          assert.deepEqual(
            lines.slice(1).map((line) => pick(lines[0] ?? '', line, ['time', 'sensor_id', 'temperature'])),
            published,
          )
          assert.equal(download.trimEnd().split('\r\n').length, COUNT + 1)
          const { period } = running.manifest
          assert.deepEqual(period, { from: toTime(0), to: toTime(COUNT - 1) })
          assert.match(running.text, /"id":"air-1".*"lat":43\.4623/)
          assert.match(running.text, /"reason":"clock".*2001-01-01/)
          await refuseSecrets(running.text, { folder, secret: secret.password })

          await box.stop()
          const stopped = await exportTo(join(folder, 'stopped'), setup)
          assert.equal(stopped.csv, running.csv)
        }),
      )
    })

    it('says the same in Parquet', async () => {
      await withReadings(driver, (env) =>
        withFolder(async (folder) => {
          await using stack = new AsyncDisposableStack()
          const setup = { dataDir: join(folder, 'data'), env }
          const box = await startStoppable(stack, setup)
          await publish(box, await addDevice(box, ['air-1', ...PLACE]))
          await box.stop()
          await exportTo(join(folder, 'csv'), setup)
          await pulso(['export', '--to', join(folder, 'parquet'), '--format', 'parquet'], setup)
          const [csv, parquet] = await Promise.all([
            select(`read_csv('${folder}/csv/readings/environment.csv')`),
            select(`read_parquet('${folder}/parquet/readings/environment.parquet')`),
          ])
          assert.equal(csv.length, COUNT)
          assert.deepEqual(parquet, csv)
        }),
      )
    })
  })
}

describe('an export', () => {
  it('overwrites nothing, and stays out of the data folder', async () => {
    await withFolder(async (folder) => {
      const setup = { dataDir: join(folder, 'data') }
      await (await startBox(setup)).stop()
      const [full, empty] = [join(folder, 'full'), join(folder, 'empty')]
      await mkdir(full)
      await mkdir(empty)
      await writeFile(join(full, 'mine.txt'), 'mine')
      await refused(['export', '--to', full], setup, /not empty; nothing was overwritten/)
      await refused(['export', '--to', join(setup.dataDir, 'x')], setup, /is in the data folder/)
      await refused(['export', '--to', empty], { dataDir: join(folder, 'none') }, /data folder/)
      await refused(['export', '--to', empty, '--format', 'xls'], setup, /csv, parquet/)
      await pulso(['export', '--to', empty], setup)
      assert.deepEqual(await readdir(full), ['mine.txt'])
      assert.ok((await readdir(empty)).includes('manifest.json'))
      assert.deepEqual((await readdir(folder)).toSorted(), ['data', 'empty', 'full'])
    })
  })

  it('leaves nothing behind when it is interrupted', async () => {
    await withFolder(async (folder) => {
      const setup = { dataDir: join(folder, 'data') }
      await (await startBox(setup)).stop()
      const target = join(folder, 'target')
      const child = spawn(process.execPath, ['cli/src/pulso.ts', 'export', '--to', target], {
        cwd: ROOT,
        env: boxEnvironment(setup),
        stdio: ['ignore', 'ignore', 'pipe'],
      })
      const ended = once(child, 'exit')
      await waitFor(async () => (await readdir(folder)).includes('target.partial'), {
        what: 'the export to begin',
        everyMs: 1,
      })
      child.kill('SIGINT')
      assert.deepEqual(await ended, [130, null])
      assert.deepEqual(await readdir(folder), ['data'])
    })
  })
})

/** Ends with the test, also with one that fails. */
async function startStoppable(
  stack: AsyncDisposableStack,
  setup: Parameters<typeof startBox>[0],
): Promise<RunningBox> {
  const box = await startBox(setup)
  stack.defer(async () => {
    await box.stop()
  })
  return box
}

async function publish(box: RunningBox, secret: { username: string; password: string }): Promise<void> {
  const device = await connectDevice(box, secret)
  const send = (message: object): Promise<unknown> =>
    device.publishAsync('pulso/environment/air-1/telemetry', JSON.stringify(message), { qos: 1 })
  await send({ time: '2001-01-01T00:00:00Z', temperature: 1 })
  await Promise.all(
    Array.from({ length: COUNT }, (_, n) => send({ time: toTime(n), temperature: n / 10 })).reverse(),
  )
  await device.endAsync()
  await waitFor(async () => (await readCsv(box)).trimEnd().split('\n').length === COUNT + 1, {
    what: 'the readings to be stored',
  })
}

async function readCsv(box: RunningBox): Promise<string> {
  return (await fetch(`${box.http}/api/v1/export/environment.csv`)).text()
}

/** Exports as CSV, and checks every file against the manifest. */
async function exportTo(
  folder: string,
  setup: { dataDir: string; env?: Record<string, string> },
): Promise<{ manifest: Manifest; csv: string; text: string }> {
  const printed = await pulso(['export', '--to', folder, '--json'], setup)
  const { path, manifest } = JSON.parse(printed) as { path: string; manifest: Manifest }
  assert.equal(path, folder)
  assert.deepEqual(JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8')), manifest)
  const contents: string[] = []
  for (const { name, bytes, sha256 } of manifest.files) {
    const content = await readFile(join(folder, name))
    assert.equal(content.length, bytes, name)
    assert.equal(createHash('sha256').update(content).digest('hex'), sha256, name)
    contents.push(content.toString())
  }
  const found = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((one) =>
    one.isFile(),
  )
  assert.equal(found.length, manifest.files.length + 2, 'README.txt, manifest.json and what it names')
  const readme = await readFile(join(folder, 'README.txt'), 'utf8')
  for (const { name } of manifest.files) assert.ok(readme.includes(name), name)
  const csv = await readFile(join(folder, 'readings/environment.csv'), 'utf8')
  return { manifest, csv, text: contents.join('\n') }
}

function pick(header: string, line: string, names: readonly string[]): (string | undefined)[] {
  const cells = line.split(',')
  return names.map((name) => cells[header.split(',').indexOf(name)])
}

async function refuseSecrets(
  text: string,
  { folder, secret }: { folder: string; secret: string },
): Promise<void> {
  assert.ok(!text.includes(secret))
  assert.ok(!text.includes(createHash('sha256').update(secret).digest('hex')))
  assert.doesNotMatch(text, /scrypt|secret_?hash|password_?hash/i)
  assert.ok(!text.includes(folder), 'no path of this machine')
}

async function select(from: string): Promise<unknown[]> {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  const result = await connection.runAndReadAll(
    `SELECT epoch_ms(time)::DOUBLE, epoch_ms(received_at)::DOUBLE, sensor_id, temperature::DOUBLE FROM ${from}`,
  )
  connection.closeSync()
  instance.closeSync()
  return result.getRows()
}
