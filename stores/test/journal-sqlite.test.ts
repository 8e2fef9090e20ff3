import assert from 'node:assert/strict'
import { once } from 'node:events'
import { fork } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, test } from 'node:test'
import { MessageChannel } from 'node:worker_threads'
import { createSqliteJournalWriter } from '@pulso/stores'
import { message, positions, readAll, testJournal, textOf } from './journal-conformance.ts'
import { createFolder } from './support/folder.ts'
import { openJournal } from './support/journal.ts'

testJournal('sqlite', async () => {
  const folder = createFolder()
  const file = `${folder.path}/journal.sqlite`
  return { open: () => openJournal({ file }), remove: async () => folder.remove() }
})

describe('the journal in SQLite', () => {
  let folder: ReturnType<typeof createFolder>
  let fileCount = 0
  const newFile = (): string => `${folder.path}/journal-${++fileCount}.sqlite`
  before(() => (folder = createFolder()))
  after(() => folder.remove())

  test('says which file is damaged, however deep, and leaves it as it is', async () => {
    const file = newFile()
    await (await openJournal({ file })).close()
    const database = new DatabaseSync(file)
    database.exec('DROP TABLE blocks')
    database.close()
    const before = readFileSync(file)
    await assert.rejects(openJournal({ file }), {
      code: 'journal-unavailable',
      message: /journal-\d+\.sqlite/,
    })
    assert.deepEqual(readFileSync(file), before)
  })

  test('rejects a whole group whose commit failed, keeps nothing of it, and goes on', async () => {
    const file = newFile()
    const journal = await openJournal({ file })
    const [writer, reader] = [journal.writer(), journal.reader()]
    await writer.append(message('a', 'before'))
    const other = new DatabaseSync(file, { timeout: 5_000 })
    other.exec(
      "CREATE TRIGGER broken AFTER INSERT ON blocks BEGIN SELECT RAISE(ABORT, 'the disk is on fire'); END",
    )
    const failures = await Promise.allSettled(
      ['1', '2', '3'].map((text) => writer.append(message('a', text))),
    )
    for (const failure of failures) {
      assert.equal(failure.status, 'rejected')
      const {
        code,
        retryable,
        message: sentence,
      } = failure.reason as { code: string; retryable: boolean; message: string }
      assert.deepEqual({ code, retryable }, { code: 'journal-failed', retryable: true })
      assert.match(sentence, /the disk is on fire/)
    }
    await assert.rejects(reader.check(), { code: 'journal-failed', message: /the disk is on fire/ })
    other.exec('DROP TRIGGER broken')
    other.close()

    await writer.append(message('a', 'behind'))
    await reader.check()
    const kept = await readAll(reader, 2)
    assert.deepEqual(kept.map(textOf), ['before', 'behind'])
    assert.deepEqual(positions(kept), [1, 2])
    await journal.close()
  })

  test('fails what is pending when its thread crashes, and says so', async () => {
    const crashed = Promise.withResolvers<{ code: string; retryable: boolean }>()
    const journal = await openJournal({ file: newFile(), onCrash: crashed.resolve })
    const [writer, reader] = [journal.writer(), journal.reader()]
    const reading = reader.read({ after: 0, limit: 1, signal: new AbortController().signal })
    const refusedReading = assert.rejects(reading, { retryable: true })
    const sabotage = journal.writerPort()
    sabotage.postMessage('not a block')
    await refusedReading
    assert.equal((await crashed.promise).code, 'journal-failed')
    await assert.rejects(writer.append(message('a', 'y')), { code: 'journal-failed', retryable: true })
    await journal.close()
  })

  test('refuses a file of a newer version', async () => {
    const file = newFile()
    await (await openJournal({ file })).close()
    const database = new DatabaseSync(file)
    database.exec('PRAGMA user_version = 99')
    database.close()
    await assert.rejects(openJournal({ file }), { code: 'journal-too-new' })
  })

  test('says which file it cannot open', async () => {
    const file = `${folder.path}/missing/journal.sqlite`
    await assert.rejects(openJournal({ file }), {
      code: 'journal-unavailable',
      message: /missing\/journal\.sqlite/,
    })
  })

  test('goes on behind what its readers have seen when its file was lost', async () => {
    const journal = await openJournal({ file: newFile(), continueAfter: 5_000 })
    await journal.writer().append(message('a', 'x'))
    assert.deepEqual(positions(await readAll(journal.reader(), 1, 5_000)), [5_001])
    await journal.close()
  })

  test('brings what an older file still holds again, behind what its readers have seen', async () => {
    const file = newFile()
    const old = await openJournal({ file })
    const writer = old.writer()
    for (const text of ['1', '2', '3']) await writer.append(message('a', text))
    await old.reader().acknowledge(1)
    await old.close()

    const journal = await openJournal({ file, continueAfter: 100 })
    const kept = await readAll(journal.reader(), 2, 100)
    assert.deepEqual(kept.map(textOf), ['2', '3'])
    assert.deepEqual(positions(kept), [101, 102])
    await journal.close()
  })

  test('does not wait for messages that would come under positions already seen', async () => {
    const journal = await openJournal({ file: newFile() })
    await journal.writer().append(message('a', 'x'))
    const reading = journal.reader().read({ after: 7, limit: 1, signal: new AbortController().signal })
    await assert.rejects(reading, { code: 'journal-behind' })
    await journal.close()
  })

  test('has every message that it said was kept after a kill -9', async () => {
    const file = newFile()
    const child = fork(new URL('./support/journal-appender.ts', import.meta.url), [file])
    const acknowledged = new Set<string>()
    child.on('message', (ids: string[]) => {
      for (const id of ids) acknowledged.add(id)
      if (acknowledged.size >= 5_000) child.kill('SIGKILL')
    })
    const [, signal] = (await once(child, 'close')) as [number | null, string | null]
    assert.equal(signal, 'SIGKILL')

    const journal = await openJournal({ file })
    const reader = journal.reader()
    const { depth } = await reader.status()
    const kept = await readAll(reader, depth)
    const found = new Set(kept.map(textOf))
    assert.deepEqual(
      [...acknowledged].filter((id) => !found.has(id)),
      [],
    )
    assert.deepEqual(
      positions(kept),
      Array.from({ length: depth }, (_, n) => n + 1),
    )
    await journal.close()
  })
})

describe('the journal’s writer', () => {
  test('makes one group of what arrives in one turn, and the next while that is being committed', async () => {
    const { writer, thread, groups } = createWriterWithThread()
    const first = [writer.append(message('a', '1')), writer.append(message('a', '2'))]
    assert.equal(first[0], first[1])
    await groups.next()
    const second = [writer.append(message('a', '3')), writer.append(message('a', '4'))]
    thread.postMessage({ kept: true })
    await Promise.all(first)
    await groups.next()
    thread.postMessage({ kept: false, message: 'no' })
    for (const pending of second) await assert.rejects(pending, { code: 'journal-failed' })
    await writer.close()
  })

  test('lets callers wait, and fails nothing, when too much is pending', async () => {
    const { writer, thread, groups } = createWriterWithThread({ maxPendingBytes: 10_000 })
    const appended = Array.from({ length: 50 }, () => writer.append(message('a', 'x'.repeat(1_000))))
    const sizes: number[] = []
    let kept = 0
    while (kept < 50) {
      const { bytes } = await groups.next()
      sizes.push(bytes)
      kept += Math.floor(bytes / 1_000)
      thread.postMessage({ kept: true })
    }
    await Promise.all(appended)
    assert.ok(Math.max(...sizes) <= 10_000, `groups of ${sizes.join(', ')} bytes`)
    await writer.close()
  })

  test('refuses a topic longer than MQTT has', async () => {
    const { writer } = createWriterWithThread()
    await assert.rejects(writer.append(message('ñ'.repeat(40_000), 'x')), {
      code: 'journal-message-too-large',
    })
    await writer.close()
  })
})

/** A writer whose commit thread is the test itself. */
function createWriterWithThread(options: { maxPendingBytes?: number } = {}) {
  const { port1: port, port2: thread } = new MessageChannel()
  const received: { bytes: number }[] = []
  let arrived: (() => void) | undefined
  thread.on('message', (group: { bytes: number }) => {
    received.push(group)
    arrived?.()
  })
  const next = async (): Promise<{ bytes: number }> => {
    for (;;) {
      const group = received.shift()
      if (group) return group
      await new Promise<void>((resolve) => (arrived = resolve))
    }
  }
  return { writer: createSqliteJournalWriter({ port, ...options }), thread, groups: { next } }
}
