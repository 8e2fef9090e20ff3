import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, statSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { describe, test, type TestContext } from 'node:test'
import { systemClock } from '@pulso/model'
import {
  checkStoreCopy,
  copyStores,
  createHoldableReader,
  createSqliteJournal,
  createSqliteJournalReader,
  createSqliteJournalWriter,
  openSqliteRegistry,
  sealStoreCopies,
  type CopiedStores,
  type JournalReader,
  type StoreFiles,
} from '@pulso/stores'
import { openDuckdbFileSnapshot, openDuckdbReadings } from '@pulso/stores/readings'
import { insert, reading } from './readings-conformance.ts'
import { createFolder } from './support/folder.ts'
import { createKinds } from './support/kinds.ts'

const kinds = createKinds()
const NOTHING_ELSE = { newSensors: [], states: [], quarantine: [] }

describe('a snapshot of the readings', () => {
  test('does not have what was written during the copy, and has the position that goes with it', async (context) => {
    const { path } = withFolder(context)
    const readings = await openDuckdbReadings({ file: join(path, 'readings.duckdb'), kinds })
    const before = Array.from({ length: 20_000 }, (_, n) => reading('s1', n, { level: n }))
    await insert(readings, 7, before)
    const snapshot = await readings.snapshot()
    assert.ok(snapshot)
    await insert(readings, 8, [reading('late', 0, { level: 1 })])
    const copy = join(path, 'copy.duckdb')
    const [counts] = await Promise.all([
      snapshot.copyTo(copy),
      insert(readings, 9, [reading('later', 0, { level: 1 })]),
    ])
    await snapshot.close()
    assert.deepEqual([snapshot.position, counts.bin], [7, 20_000])
    assert.equal(await readings.position(), 9)
    await readings.close()

    assert.ok(!existsSync(`${copy}.wal`), 'the copy is one file')
    const copied = await openDuckdbReadings({ file: copy, kinds })
    assert.equal(await copied.position(), 7)
    assert.deepEqual(await copied.find('bin', [reading('late', 0, {}), reading('later', 0, {})]), [])
    assert.equal((await copied.find('bin', before)).length, before.length)
    await copied.close()
  })

  test('that is under way ends with the readings, so that the file is open once only', async (context) => {
    const { path } = withFolder(context)
    const file = join(path, 'readings.duckdb')
    const readings = await openDuckdbReadings({ file, kinds })
    await insert(
      readings,
      1,
      Array.from({ length: 20_000 }, (_, n) => reading('s1', n, { level: n })),
    )
    const snapshot = await readings.snapshot()
    const copying = snapshot?.copyTo(join(path, 'copy.duckdb'))
    const outcome = copying?.then(
      () => 'copied',
      () => 'ended',
    )
    await readings.close()
    assert.match((await outcome) ?? '', /copied|ended/)
    const again = await openDuckdbReadings({ file, kinds })
    assert.equal(await again.position(), 1)
    await again.close()
  })

  test('of a file that nobody has open leaves it as it is, with its log', async (context) => {
    const { path } = withFolder(context)
    const file = join(path, 'readings.duckdb')
    const readings = await openDuckdbReadings({ file, kinds })
    await insert(readings, 3, [reading('s1', 0, { level: 1 })])
    await readings.close()
    const before = statSync(file)
    const snapshot = await openDuckdbFileSnapshot(file)
    const counts = await snapshot.copyTo(join(path, 'copy.duckdb'))
    await snapshot.close()
    assert.deepEqual([snapshot.position, counts.bin], [3, 1])
    assert.equal(statSync(file).mtimeMs, before.mtimeMs)
  })
})

describe('copies of the stores, made while they are used,', () => {
  test('have every message that the copied registry has not, though ingest goes on', async (context) => {
    const stores = await openStores(context)
    await stores.append(10)
    // As a crash between the two commits would leave it.
    await insert(stores.readings, 4, [reading('s1', 4, { level: 4 })])
    await stores.registry.commitIngest({ position: 3, ...NOTHING_ELSE })
    await stores.reader.acknowledge(3)

    let acknowledgement: Promise<void> | undefined
    const copied = await stores.copy(async () => {
      // The registry's snapshot is taken by now; what ingest does next must not make the journal forget.
      await stores.registry.commitIngest({ position: 9, ...NOTHING_ELSE })
      acknowledgement = stores.reader.acknowledge(9)
      await stores.append(2)
    })
    assert.deepEqual(
      [copied.registry.position, copied.readings?.position, copied.journal.position],
      [3, 4, 12],
    )
    assert.deepEqual(copied.journal.counts, { messages: 9 })
    const messages = await readAll(context, stores.target.journalFile)
    assert.deepEqual(
      messages.map(({ position }) => position),
      [4, 5, 6, 7, 8, 9, 10, 11, 12],
    )
    await acknowledgement
    assert.equal((await stores.reader.status()).depth, 3, 'what was kept back is forgotten afterwards')
  })

  test('are single files which say so when they are damaged', async (context) => {
    const stores = await openStores(context)
    await stores.append(500)
    await stores.registry.commitIngest({ position: 0, ...NOTHING_ELSE })
    const copied = await stores.copy(async () => undefined)
    sealStoreCopies(stores.target)
    assert.deepEqual(readdirSync(join(stores.path, 'copies')).sort(), [
      'journal.sqlite',
      'readings.duckdb',
      'registry.sqlite',
    ])
    const { journalFile, registryFile, readingsFile } = stores.target
    assert.ok(copied.readings)
    await checkStoreCopy('journal', journalFile, copied.journal)
    await checkStoreCopy('registry', registryFile, copied.registry)
    await checkStoreCopy('readings', readingsFile, copied.readings)

    const elsewhere = { ...copied.registry, position: 5 }
    await assert.rejects(checkStoreCopy('registry', registryFile, elsewhere), { code: 'backup-damaged' })
    truncateSync(journalFile, statSync(journalFile).size - 4_096)
    await assert.rejects(checkStoreCopy('journal', journalFile, copied.journal), {
      code: 'backup-damaged',
      message: /journal\.sqlite is damaged/,
    })
  })

  test('leave out the room of what the journal has forgotten', async (context) => {
    const stores = await openStores(context)
    await stores.append(200, 100_000)
    await stores.reader.acknowledge(200)
    await stores.copy(async () => undefined)
    const copiedBytes = statSync(stores.target.journalFile).size
    sealStoreCopies(stores.target)
    assert.ok(copiedBytes > 1_000_000, `${copiedBytes} bytes before`)
    assert.ok(statSync(stores.target.journalFile).size < 100_000)
  })
})

describe('an acknowledgement', () => {
  test('waits while the journal is held, also by two, and goes through afterwards', async () => {
    const acknowledged: number[] = []
    const inner = { acknowledge: async (position: number) => void acknowledged.push(position) }
    const { reader, hold } = createHoldableReader(inner as unknown as JournalReader)
    await reader.acknowledge(1)
    const [first, second] = [hold(), hold()]
    const waiting = reader.acknowledge(2)
    first()
    await turn()
    assert.deepEqual(acknowledged, [1])
    second()
    await waiting
    await reader.acknowledge(3)
    assert.deepEqual(acknowledged, [1, 2, 3])
  })
})

function withFolder(context: TestContext): { path: string } {
  const folder = createFolder()
  context.after(folder.remove)
  return folder
}

async function openStores(context: TestContext) {
  const { path } = withFolder(context)
  mkdirSync(join(path, 'copies'))
  const source = { journalFile: join(path, 'journal.sqlite'), registryFile: join(path, 'registry.sqlite') }
  const target: StoreFiles = {
    journalFile: join(path, 'copies', 'journal.sqlite'),
    registryFile: join(path, 'copies', 'registry.sqlite'),
    readingsFile: join(path, 'copies', 'readings.duckdb'),
  }
  const registry = await openSqliteRegistry({ file: source.registryFile })
  const readings = await openDuckdbReadings({ file: join(path, 'readings.duckdb'), kinds })
  const journal = createSqliteJournal({ file: source.journalFile })
  await journal.start()
  const writer = createSqliteJournalWriter({ port: journal.writerPort() })
  const plainReader = createSqliteJournalReader({ port: journal.readerPort(), file: source.journalFile })
  const { reader, hold } = createHoldableReader(plainReader)
  context.after(async () => {
    await writer.close()
    await reader.close()
    await journal.stop()
    await readings.close()
    await registry.close()
  })
  return {
    path,
    target,
    registry,
    readings,
    reader,
    async append(count: number, payloadBytes = 2) {
      const message = { topic: 't', payload: Buffer.alloc(payloadBytes, '1'), credential: 'c' }
      await Promise.all(Array.from({ length: count }, () => writer.append(message)))
    },
    /** @param meanwhile between the registry's snapshot and the readings' */
    copy: (meanwhile: () => Promise<void>): Promise<CopiedStores> =>
      copyStores({
        source,
        target,
        hold,
        clock: systemClock,
        async openReadingsSnapshot() {
          await meanwhile()
          return readings.snapshot()
        },
      }),
  }
}

async function readAll(context: TestContext, file: string) {
  const journal = createSqliteJournal({ file })
  await journal.start()
  const reader = createSqliteJournalReader({ port: journal.readerPort(), file })
  context.after(async () => {
    await reader.close()
    await journal.stop()
  })
  return reader.read({ after: 0, limit: 1_000, signal: new AbortController().signal })
}
