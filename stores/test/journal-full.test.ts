import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { statfsSync } from 'node:fs'
import { createRoom } from '../src/journal-sqlite/room.ts'
import { message, readAll, textOf } from './journal-conformance.ts'
import { createFolder } from './support/folder.ts'
import { openJournal } from './support/journal.ts'

const ENOUGH = 600
const large = (name: string) => message('a', name.padEnd(ENOUGH, '.'))
const nameOf = (text: string): string => text.replace(/\.+$/, '')

describe('a journal that is full', () => {
  let folder: ReturnType<typeof createFolder>
  let fileCount = 0
  const newFile = (): string => `${folder.path}/journal-${++fileCount}.sqlite`
  before(() => (folder = createFolder()))
  after(() => folder.remove())

  test('lets senders wait, says why, and takes what waits as soon as something is acknowledged', async () => {
    const told: (string | null)[] = []
    const full = Promise.withResolvers<undefined>()
    const journal = await openJournal({
      file: newFile(),
      bounds: { maxBytes: 1_000 },
      onFull(reason) {
        told.push(reason)
        full.resolve(undefined)
      },
    })
    const [writer, reader] = [journal.writer(), journal.reader()]
    await writer.append(large('1'))
    let isKept = false
    const held = writer.append(large('2')).then(() => (isKept = true))
    await full.promise

    const status = await reader.status()
    assert.match(status.full ?? '', /of at most 1000 bytes wait to be ingested/)
    assert.equal(status.depth, 1)
    await assert.rejects(reader.check(), { code: 'journal-full', message: /takes no messages/ })
    assert.equal(isKept, false)

    await reader.acknowledge(1)
    await held
    assert.equal((await reader.status()).full, null)
    await reader.check()
    assert.deepEqual((await readAll(reader, 1, 1)).map(textOf).map(nameOf), ['2'])
    assert.equal(told.length, 2)
    assert.equal(told[1], null)
    await journal.close()
  })

  test('loses and doubles nothing of several writers that wait while a reader drains', async () => {
    const journal = await openJournal({ file: newFile(), bounds: { maxBytes: 20_000 } })
    const [reader, one, other] = [journal.reader(), journal.writer(), journal.writer()]
    const appended = Promise.all(
      Array.from({ length: 400 }, (_, n) => (n % 2 ? one : other).append(large(String(n)))),
    )
    const found: string[] = []
    let position = 0
    const { signal } = new AbortController()
    while (found.length < 400) {
      const kept = await reader.read({ after: position, limit: 50, signal })
      assert.ok((await reader.status()).bytes <= 20_000 + 4_000_000)
      found.push(...kept.map(textOf).map(nameOf))
      position = kept.at(-1)?.position ?? position
      await reader.acknowledge(position)
    }
    await appended
    assert.equal(new Set(found).size, 400)
    assert.equal(found.length, 400)
    assert.equal((await reader.status()).depth, 0)
    await journal.close()
  })

  test('takes a block larger than the bound when it is empty, rather than never', async () => {
    const journal = await openJournal({ file: newFile(), bounds: { maxBytes: 100 } })
    await journal.writer().append(large('1'))
    await journal.close()
  })

  test('gives a message that waited the time at which it came', async () => {
    const journal = await openJournal({ file: newFile(), bounds: { maxBytes: 1_000 } })
    const [writer, reader] = [journal.writer(), journal.reader()]
    await writer.append(large('1'))
    const held = writer.append(large('2'))
    const cameBeforeMs = Date.now()
    // Positions are given when there is room; only time itself can show that this is later.
    while (Date.now() < cameBeforeMs + 20) await reader.status()
    await reader.acknowledge(1)
    await held
    const [kept] = await readAll(reader, 1, 1)
    assert.ok((kept?.receivedAtMs ?? Infinity) <= cameBeforeMs)
    await journal.close()
  })

  test('does not wait for room when its writer closes: what waits fails', async () => {
    const journal = await openJournal({ file: newFile(), bounds: { maxBytes: 1_000 } })
    const writer = journal.writer()
    await writer.append(large('1'))
    const held = assert.rejects(writer.append(large('2')), { code: 'journal-failed', message: /full/ })
    await Promise.all([held, writer.close()])
    await journal.close()
  })

  test('takes nothing while the disk is nearly full', async () => {
    const file = newFile()
    const { bavail, bsize } = statfsSync(folder.path)
    const full = Promise.withResolvers<string | null>()
    const journal = await openJournal({
      file,
      bounds: { minFreeBytes: bavail * bsize * 2 },
      onFull: full.resolve,
    })
    const writer = journal.writer()
    const held = assert.rejects(writer.append(large('1')), { code: 'journal-failed' })
    assert.match((await full.promise) ?? '', /bytes are free on the disk/)
    await Promise.all([held, journal.close()])

    const reopened = await openJournal({ file })
    await reopened.writer().append(large('1'))
    await reopened.close()
  })
})

describe('the journal’s room', () => {
  const createDisk = (free: number) => {
    const disk = { free, nowMs: 0, unused: 0, asked: 0 }
    const room = createRoom({
      path: '/somewhere',
      maxBytes: 1_000_000,
      minFreeBytes: 1_000,
      unusedBytes: () => disk.unused,
      nowMs: () => disk.nowMs,
      freeBytes() {
        disk.asked++
        return disk.free
      },
    })
    return { disk, room }
  }

  test('asks the file system a few times a second, and counts what it wrote in between', () => {
    const { disk, room } = createDisk(10_000)
    assert.equal(room.refuse(1_000, 0), null)
    for (let written = 0; written < 4; written++) room.wrote(1_000)
    assert.match(room.refuse(1_000, 0) ?? '', /free on the disk/)
    assert.equal(disk.asked, 1)
    disk.nowMs += 1_000
    assert.equal(room.refuse(1_000, 0), null)
    assert.equal(disk.asked, 2)
  })

  test('uses what is free within the file when the disk is full: nothing else would ever end the waiting', () => {
    const { disk, room } = createDisk(0)
    assert.match(room.refuse(500, 0) ?? '', /free on the disk/)
    disk.unused = 4_096
    assert.equal(room.refuse(500, 0), null)
  })
})
