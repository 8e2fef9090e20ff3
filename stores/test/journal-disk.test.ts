import assert from 'node:assert/strict'
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, test } from 'node:test'
import { mountSmallDisk, skipWithoutMount } from '../../test/chaos/support/disk-space.ts'
import { createFaults } from '../../test/chaos/support/faults.ts'
import { skipWithout } from '../../test/support/programs.ts'
import { message, positions, readAll, textOf } from './journal-conformance.ts'
import { createFolder } from './support/folder.ts'
import { openJournal } from './support/journal.ts'

let folder: ReturnType<typeof createFolder>
let count = 0
const newFolder = (): string => {
  const path = `${folder.path}/${++count}`
  mkdirSync(path)
  return path
}
before(() => (folder = createFolder()))
after(() => folder.remove())

describe('a journal whose disk does not sync', { skip: skipWithout('gcc') }, () => {
  const ask = async (child: ChildProcess, text: string): Promise<unknown> => {
    const answer = once(child, 'message')
    child.send(text)
    return ((await answer) as unknown[])[0]
  }

  test('keeps nothing and says so, stays readable, and can be trusted again when the disk can', async () => {
    const path = newFolder()
    const file = `${path}/journal.sqlite`
    const faults = createFaults({ folder: path, only: 'journal' })
    const child = fork(new URL('./support/journal-asked.ts', import.meta.url), [file], {
      env: { ...process.env, ...faults.env },
    })
    await once(child, 'message')
    assert.deepEqual(await ask(child, 'before'), { append: 'kept', check: 'well' })

    faults.setFsync('all')
    for (const text of ['lost 1', 'lost 2', 'lost 3 '.repeat(5_000)]) {
      assert.deepEqual(await ask(child, text), { append: 'journal-failed', check: 'journal-failed' })
    }
    assert.ok(faults.fsyncFailures() >= 3)
    const readable = new DatabaseSync(file, { readOnly: true })
    assert.equal(readable.prepare('SELECT count(*) AS blocks FROM blocks').get()?.blocks, 1)
    readable.close()

    faults.setFsync('none')
    assert.deepEqual(await ask(child, 'after'), { append: 'kept', check: 'well' })
    child.kill('SIGKILL')
    await once(child, 'close')
    faults.close()

    const journal = await openJournal({ file })
    const kept = await readAll(journal.reader(), 2)
    assert.deepEqual(kept.map(textOf), ['before', 'after'])
    assert.deepEqual(positions(kept), [1, 2])
    assert.equal((await journal.reader().status()).depth, 2)
    await journal.close()
  })

  test('has the log in its file and synced before it takes anything, when it starts after that', async () => {
    const path = newFolder()
    const file = `${path}/journal.sqlite`
    const faults = createFaults({ folder: path, only: 'journal' })
    const child = fork(new URL('./support/journal-asked.ts', import.meta.url), [file], {
      env: { ...process.env, ...faults.env },
    })
    await once(child, 'message')
    await ask(child, 'before')
    faults.setFsync('all')
    await ask(child, 'not kept')
    child.kill('SIGKILL')
    await once(child, 'close')
    faults.close()

    const journal = await openJournal({ file })
    assert.equal(statSync(`${file}-wal`).size, 0)
    const [first] = await readAll(journal.reader(), 1)
    assert.equal(first && textOf(first), 'before')
    await journal.close()
  })
})

describe('a journal whose disk is full', { skip: skipHere() }, () => {
  test('lets senders wait, loses nothing, and heals when there is space again', async (context) => {
    const disk = mountSmallDisk(newFolder(), 8)
    context.after(() => disk.remove())
    const told: (string | null)[] = []
    const file = `${disk.path}/journal.sqlite`
    const full = Promise.withResolvers<undefined>()
    const journal = await openJournal({
      file,
      bounds: { minFreeBytes: 0 },
      onFull(reason) {
        told.push(reason)
        full.resolve(undefined)
      },
    })
    context.after(() => journal.close())
    const [writer, reader] = [journal.writer(), journal.reader()]
    const texts = Array.from({ length: 20 }, (_, n) => `${n} `.padEnd(100_000, '.'))
    for (const text of texts.slice(0, 5)) await writer.append(message('a', text))
    disk.fill()

    // One after the other, so that each is a commit of its own.
    const appended = (async () => {
      for (const text of texts.slice(5)) await writer.append(message('a', text))
    })()
    await full.promise
    assert.match(told[0] ?? '', /disk is full/)
    await assert.rejects(reader.check(), { code: 'journal-full' })
    const keptWhileFull = (await reader.status()).depth
    const firstHalf = await readAll(reader, keptWhileFull)
    assert.deepEqual(
      firstHalf.map(textOf).map((text) => text.slice(0, 20)),
      texts.slice(0, keptWhileFull).map((text) => text.slice(0, 20)),
    )

    disk.free()
    await appended
    const kept = await readAll(reader, 20)
    assert.deepEqual(
      positions(kept),
      Array.from({ length: 20 }, (_, n) => n + 1),
    )
    assert.deepEqual(kept.map(textOf), texts)
    assert.deepEqual(told.slice(1), [null])
    await reader.check()
  })

  test('makes room for what waits out of what is acknowledged, without more disk', async (context) => {
    const disk = mountSmallDisk(newFolder(), 80)
    context.after(() => disk.remove())
    const full = Promise.withResolvers<string | null>()
    const file = `${disk.path}/journal.sqlite`
    const journal = await openJournal({
      file,
      bounds: { minFreeBytes: 24_000_000 },
      onFull: full.resolve,
    })
    context.after(() => journal.close())
    const [writer, reader] = [journal.writer(), journal.reader()]
    const texts = Array.from({ length: 120 }, (_, n) => `${n} `.padEnd(500_000, '.'))
    const appended = (async () => {
      for (const text of texts) await writer.append(message('a', text))
    })()
    assert.match((await full.promise) ?? '', /free on the disk/)
    // From here on there is as little disk as it was told to leave, and the log has to do with what it has.
    const found: string[] = []
    const { signal } = new AbortController()
    for (let position = 0; found.length < texts.length;) {
      const kept = await reader.read({ after: position, limit: 10, signal })
      found.push(...kept.map(textOf))
      position = kept.at(-1)?.position ?? position
      await reader.acknowledge(position)
    }
    await appended
    assert.deepEqual(found, texts)
  })
})

describe('a journal after a crash of the machine', () => {
  test('has all that was kept, however the end of its log was torn', async () => {
    const path = newFolder()
    const file = `${path}/journal.sqlite`
    const running = await openJournal({ file })
    const writer = running.writer()
    const texts = Array.from({ length: 20 }, (_, n) => `${n} `.repeat(50 * (n + 1)))
    for (const text of texts) await writer.append(message('a', text))
    const safe = { file: readFileSync(file), log: readFileSync(`${file}-wal`) }
    await writer.append(message('a', 'on its way '.repeat(2_000)))
    const torn = readFileSync(`${file}-wal`)
    await running.close()
    assert.ok(torn.length > safe.log.length)

    const span = torn.length - safe.log.length
    for (let cut = 1; cut < span; cut += 4_111) {
      const copy = `${newFolder()}/journal.sqlite`
      writeFileSync(copy, safe.file)
      writeFileSync(`${copy}-wal`, torn.subarray(0, safe.log.length + cut))
      const journal = await openJournal({ file: copy })
      await journal.writer().append(message('a', 'later'))
      const kept = await readAll(journal.reader(), 21)
      assert.deepEqual(kept.map(textOf), [...texts, 'later'])
      await journal.close()
    }
  })

  test('says that its file is damaged, and what to do', async () => {
    const file = `${newFolder()}/journal.sqlite`
    const running = await openJournal({ file })
    await running.writer().append(message('a', 'x'.repeat(50_000)))
    await running.close()
    const whole = `${file}.whole`
    copyFileSync(file, whole)

    truncateSync(file, 8_192)
    await assert.rejects(openJournal({ file }), { code: 'journal-damaged', message: /restore a backup/ })

    copyFileSync(whole, file)
    const garbage = readFileSync(file)
    garbage.fill(0x5a, 0, 100)
    writeFileSync(file, garbage)
    await assert.rejects(openJournal({ file }), { code: 'journal-damaged', message: /move the file away/ })
  })
})

test('moves its log into its file while it goes on, so that neither grows without end', async () => {
  const file = `${newFolder()}/journal.sqlite`
  const journal = await openJournal({ file })
  const [writer, reader] = [journal.writer(), journal.reader()]
  for (let n = 1; n <= 60; n++) {
    await writer.append(message('a', 'x'.repeat(1_000_000)))
    await reader.acknowledge(n)
  }
  // Asked after the last round's housekeeping, which comes behind its answers.
  await reader.status()
  assert.ok(statSync(`${file}-wal`).size < 40_000_000, `the log has ${statSync(`${file}-wal`).size} bytes`)
  assert.ok(statSync(file).size < 40_000_000, `the file has ${statSync(file).size} bytes`)
  await journal.close()
})

test('gives a large file back once it is empty', async () => {
  const file = `${newFolder()}/journal.sqlite`
  const journal = await openJournal({ file })
  const [writer, reader] = [journal.writer(), journal.reader()]
  for (let n = 1; n <= 80; n++) await writer.append(message('a', 'x'.repeat(1_000_000)))
  assert.ok(statSync(file).size > 40_000_000)
  await reader.acknowledge(80)
  await reader.status()
  assert.ok(statSync(file).size < 1_000_000)
  await writer.append(message('a', 'more'))
  assert.deepEqual(positions(await readAll(reader, 1, 80)), [81])
  await journal.close()
})

function skipHere(): string | false {
  const { path, remove } = createFolder()
  try {
    return skipWithoutMount(path)
  } finally {
    remove()
  }
}
