import assert from 'node:assert/strict'
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { toKinds } from '@pulso/model'
import { createSqliteJournal, openSqliteRegistry } from '@pulso/stores'
import { openDuckdbReadings } from '@pulso/stores/readings'
import { createBackup } from '../src/backup/create-backup.ts'
import { requireSpace } from '../src/backup/disk.ts'
import { finishRestore } from '../src/backup/install.ts'
import type { BackupManifest } from '../src/backup/manifest.ts'
import { restoreBackup } from '../src/backup/restore-backup.ts'
import { verifyBackup } from '../src/backup/verify-backup.ts'
import { storeFiles } from '../src/box/files.ts'
import { parseConfig } from '../src/config/config.ts'

const NOW_MS = Date.UTC(2026, 2, 29, 1, 0, 0)
const clock = { now: () => NOW_MS }

describe('a backup', () => {
  test('that is damaged, cut short, unfinished or too new is refused with what is wrong', async (context) => {
    const { folder, backup } = await makeBackup(context)
    await verifyBackup(backup)
    const damages: [reason: RegExp, code: string, damage: (copy: string) => void][] = [
      [
        /registry\.sqlite is damaged: it has/,
        'backup-damaged',
        (copy) => appendFileSync(join(copy, 'registry.sqlite'), 'x'),
      ],
      [
        /journal\.sqlite is damaged: .*SHA-256/,
        'backup-damaged',
        (copy) => flipLastBit(join(copy, 'journal.sqlite')),
      ],
      [/readings\.duckdb is missing/, 'backup-damaged', (copy) => rmSync(join(copy, 'readings.duckdb'))],
      [/is not JSON/, 'backup-damaged', (copy) => writeFileSync(join(copy, 'backup.json'), '{"format":1,')],
      [
        /lacks something/,
        'backup-damaged',
        (copy) => writeFileSync(join(copy, 'backup.json'), '{"format":1}'),
      ],
      [/no backup of Pulso/, 'not-a-backup', (copy) => rmSync(join(copy, 'backup.json'))],
      [/newer Pulso/, 'backup-too-new', (copy) => edit(copy, () => ({ format: 2 }))],
      [
        /newer Pulso/,
        'backup-too-new',
        (copy) => edit(copy, ({ stores }) => ({ stores: raise(stores, 'journal') })),
      ],
      [
        /newer Pulso/,
        'backup-too-new',
        (copy) => edit(copy, ({ stores }) => ({ stores: raise(stores, 'registry') })),
      ],
      [
        /newer Pulso/,
        'backup-too-new',
        (copy) => edit(copy, ({ stores }) => ({ stores: raise(stores, 'readings') })),
      ],
      [
        /lacks something/,
        'backup-damaged',
        (copy) =>
          edit(copy, ({ files }) => ({ files: [...files, { name: '../away', bytes: 1, sha256: '' }] })),
      ],
      [
        /does not list .*registry/,
        'backup-damaged',
        (copy) =>
          edit(copy, ({ files }) => ({ files: files.filter(({ name }) => name !== 'registry.sqlite') })),
      ],
    ]
    const dataDir = join(folder, 'target')
    for (const [message, code, damage] of damages) {
      const copy = join(folder, 'copy')
      cpSync(backup, copy, { recursive: true })
      damage(copy)
      await assert.rejects(verifyBackup(copy), { message, code })
      await assert.rejects(restore(copy, dataDir), { message, code })
      rmSync(copy, { recursive: true })
    }
    renameSync(backup, `${backup}.partial`)
    await assert.rejects(restore(`${backup}.partial`, dataDir), { code: 'backup-incomplete' })
    assert.ok(!existsSync(dataDir), 'nothing was touched')
  })

  test('is not made twice in a second, nor of a folder without stores, and nothing is left of it then', async (context) => {
    const { folder, config, backups, backup } = await makeBackup(context)
    const again = createBackup({ config, folder: backups, clock, onProgress: () => undefined })
    await assert.rejects(again, { code: 'backup-exists' })
    const empty = parseConfig({ PULSO_DATA_DIR: join(folder, 'empty') })
    const other = join(folder, 'other')
    const ofNothing = createBackup({ config: empty, folder: other, clock, onProgress: () => undefined })
    await assert.rejects(ofNothing, { code: 'nothing-to-back-up' })
    assert.deepEqual(readdirSync(other), [])
    assert.deepEqual(readdirSync(backups), ['pulso-backup-2026-03-29T01-00-00Z'])
    assert.equal(backup, join(backups, 'pulso-backup-2026-03-29T01-00-00Z'))
  })
})

test('a disk that is too small is said before anything is copied', async (context) => {
  const folder = makeFolder(context)
  await requireSpace(folder, 1)
  await assert.rejects(requireSpace(folder, 1e17), { code: 'disk-too-small', message: /takes 100000\.0 TB/ })
})

describe('an interrupted restore', () => {
  const NEW = { 'journal.sqlite': 'new journal', 'registry.sqlite': 'new registry' }
  const OLD = {
    'journal.sqlite': 'old journal',
    'journal.sqlite-wal': 'old log',
    'readings.duckdb': 'old readings',
    'registry.sqlite': 'old registry',
  }
  /** How many of the old files had been moved aside, and how many of the new had their place, when it was killed. */
  const moments = [
    [0, 0],
    [1, 0],
    [3, 0],
    [4, 0],
    [4, 1],
    [4, 2],
  ] as const
  for (const [aside, installed] of moments) {
    test(`is finished from where it ended: ${aside} aside, ${installed} in place`, async (context) => {
      const folder = makeFolder(context)
      const [ready, old] = [join(folder, 'restore.ready'), join(folder, 'before-restore-x')]
      for (const path of [ready, old]) mkdirSync(path)
      writeFileSync(
        join(ready, 'restore.json'),
        JSON.stringify({ files: Object.keys(NEW), aside: 'before-restore-x' }),
      )
      for (const [index, [name, content]] of Object.entries(OLD).entries())
        writeFileSync(join(index < aside ? old : folder, name), content)
      for (const [index, [name, content]] of Object.entries(NEW).entries())
        writeFileSync(join(index < installed ? folder : ready, name), content)

      assert.equal(await finishRestore(folder), true)
      assert.deepEqual(readFiles(folder), NEW)
      assert.deepEqual(readFiles(old), OLD)
      assert.ok(!existsSync(ready))
      assert.equal(await finishRestore(folder), false)
    })
  }
})

function restore(backup: string, dataDir: string) {
  return restoreBackup({ folder: backup, dataDir, force: false, clock, onProgress: () => undefined })
}

async function makeBackup(context: TestContext) {
  const folder = makeFolder(context)
  const config = parseConfig({ PULSO_DATA_DIR: join(folder, 'data') })
  mkdirSync(config.dataDir)
  const files = storeFiles(config.dataDir)
  await (await openSqliteRegistry({ file: files.registryFile })).close()
  await (await openDuckdbReadings({ file: files.readingsFile, kinds: toKinds([]) })).close()
  const journal = createSqliteJournal({ file: files.journalFile })
  await journal.start()
  await journal.stop()
  const backups = join(folder, 'backups')
  const { path } = await createBackup({ config, folder: backups, clock, onProgress: () => undefined })
  return { folder, config, backups, backup: path }
}

function makeFolder(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'pulso-cli-'))
  context.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

function readFiles(folder: string): Record<string, string> {
  const files = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isFile())
  return Object.fromEntries(files.map(({ name }) => [name, readFileSync(join(folder, name), 'utf8')]))
}

function edit(copy: string, change: (manifest: BackupManifest) => object): void {
  const file = join(copy, 'backup.json')
  const manifest = JSON.parse(readFileSync(file, 'utf8')) as BackupManifest
  writeFileSync(file, JSON.stringify({ ...manifest, ...change(manifest) }))
}

function raise(stores: BackupManifest['stores'], name: keyof BackupManifest['stores']): object {
  return { ...stores, [name]: { ...stores[name], schemaVersion: 99 } }
}

function flipLastBit(file: string): void {
  const bytes = readFileSync(file)
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1
  writeFileSync(file, bytes)
}
