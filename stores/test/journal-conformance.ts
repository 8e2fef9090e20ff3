import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import type { JournalMessage, JournalReader, JournalWriter, KeptMessage } from '@pulso/stores'

/** A journal that is running; what it hands out is closed with it. */
export interface OpenJournal {
  writer(): JournalWriter
  reader(): JournalReader
  close(): Promise<void>
}

/** One test's journal, which may be opened again and again. */
export interface JournalUnderTest {
  open(): Promise<OpenJournal>
  remove(): Promise<void>
}

/** What every journal driver must do. */
export function testJournal(driver: string, create: () => Promise<JournalUnderTest>): void {
  const start = async (context: TestContext): Promise<OpenJournal & { reopen(): Promise<OpenJournal> }> => {
    const journal = await create()
    let current = await journal.open()
    context.after(async () => {
      await current.close()
      await journal.remove()
    })
    const reopen = async (): Promise<OpenJournal> => {
      await current.close()
      return (current = await journal.open())
    }
    return { ...current, reopen }
  }

  describe(`journal conformance: ${driver}`, () => {
    test('gives back what was appended, in order, from position 1 on', async (context) => {
      const { writer, reader } = await start(context)
      const messages = [message('a', 'one'), message('b/ñ/€', 'two', 'gateway-Ω'), message('a', '')]
      const append = writer()
      await Promise.all(messages.map((each) => append.append(each)))

      const kept = await readAll(reader(), 3)
      assert.deepEqual(kept.map(toPlain), messages.map(toPlain))
      assert.deepEqual(positions(kept), [1, 2, 3])
    })

    test('keeps bytes as they are', async (context) => {
      const { writer, reader } = await start(context)
      const payload = Uint8Array.from({ length: 256 }, (_, byte) => byte)
      await writer().append({ topic: 't', payload, credential: 'c' })
      const [kept] = await readAll(reader(), 1)
      assert.deepEqual([...(kept?.payload ?? [])], [...payload])
    })

    test('waits for a message until there is one', async (context) => {
      const { writer, reader } = await start(context)
      const reading = reader().read({ after: 0, limit: 10, signal: context.signal })
      await writer().append(message('a', 'late'))
      assert.deepEqual(positions(await reading), [1])
    })

    test('gives an empty list when the signal is aborted, and reads on afterwards', async (context) => {
      const { writer, reader } = await start(context)
      const journal = reader()
      const abort = new AbortController()
      const reading = journal.read({ after: 0, limit: 10, signal: abort.signal })
      abort.abort()
      assert.deepEqual(await reading, [])
      assert.deepEqual(await journal.read({ after: 0, limit: 10, signal: AbortSignal.abort() }), [])

      await writer().append(message('a', 'x'))
      assert.deepEqual(positions(await readAll(journal, 1)), [1])
    })

    test('ends a waiting read when the reader is closed', async (context) => {
      const { reader } = await start(context)
      const journal = reader()
      const reading = journal.read({ after: 0, limit: 10, signal: context.signal })
      await Promise.all([assert.rejects(reading, { code: 'journal-closed' }), journal.close()])
    })

    test('reads in portions, wherever it is asked to begin', async (context) => {
      const { writer, reader } = await start(context)
      const append = writer()
      await Promise.all(Array.from({ length: 25 }, (_, n) => append.append(message('a', String(n)))))
      await append.append(message('a', '25'))
      const journal = reader()
      const seen: number[] = []
      while (seen.length < 26) {
        const portion = await journal.read({ after: seen.at(-1) ?? 0, limit: 10, signal: context.signal })
        assert.ok(portion.length <= 20)
        seen.push(...positions(portion))
      }
      assert.deepEqual(
        seen,
        Array.from({ length: 26 }, (_, n) => n + 1),
      )
      const again = await journal.read({ after: 24, limit: 10, signal: context.signal })
      assert.deepEqual(positions(again), [25, 26])
    })

    test('brings what was not acknowledged again after a restart, and nothing else', async (context) => {
      const { writer, reader, reopen } = await start(context)
      const append = writer()
      await Promise.all(['1', '2', '3', '4', '5'].map((text) => append.append(message('a', text))))
      await reader().acknowledge(3)

      const kept = await readAll((await reopen()).reader(), 2)
      assert.deepEqual(kept.map(textOf), ['4', '5'])
      assert.deepEqual(positions(kept), [4, 5])
    })

    test('never gives a position twice, also not once empty and restarted', async (context) => {
      const { writer, reader, reopen } = await start(context)
      await writer().append(message('a', '1'))
      await reader().acknowledge(1)
      const reopened = await reopen()
      assert.equal((await reopened.reader().status()).depth, 0)
      await reopened.writer().append(message('a', '2'))
      assert.deepEqual(positions(await readAll(reopened.reader(), 1, 1)), [2])
    })

    test('throws nothing away that is still to come when too much is acknowledged', async (context) => {
      const { writer, reader } = await start(context)
      const append = writer()
      await append.append(message('a', '1'))
      await reader().acknowledge(100)
      await append.append(message('a', '2'))
      assert.deepEqual((await readAll(reader(), 1, 1)).map(textOf), ['2'])
    })

    test('tells how much waits, and since when', async (context) => {
      const { writer, reader } = await start(context)
      const [append, journal] = [writer(), reader()]
      const { maxBytes, ...empty } = await journal.status()
      assert.ok(maxBytes > 0)
      assert.deepEqual(empty, { depth: 0, bytes: 0, oldestReceivedAtMs: null, full: null })
      const beforeMs = Date.now()
      await append.append(message('a', 'x'.repeat(1_000)))
      await append.append(message('a', 'y'))

      const full = await journal.status()
      assert.equal(full.depth, 2)
      assert.ok(full.bytes > 1_000)
      assert.ok((full.oldestReceivedAtMs ?? 0) >= beforeMs)
      await journal.acknowledge(1)
      assert.equal((await journal.status()).depth, 1)
      await journal.acknowledge(2)
      assert.deepEqual(await journal.status(), { ...empty, maxBytes })
    })

    test('keeps a receive time that is known already', async (context) => {
      const { writer, reader } = await start(context)
      const append = writer()
      await append.append({ ...message('a', '1'), receivedAtMs: 1_000 })
      await append.append(message('a', '2'))
      const [first, second] = await readAll(reader(), 2)
      assert.equal(first?.receivedAtMs, 1_000)
      assert.ok((second?.receivedAtMs ?? 0) > 1_000)
    })

    test('gives each message of a topic its own receive time, and a batch as many as it has objects', async (context) => {
      const { writer, reader } = await start(context)
      const append = writer()
      const payloads = ['{}', '[{},{},{}]', ' [{}]', '[]', '{}']
      await Promise.all(payloads.map((payload) => append.append(message('a', payload))))
      await append.append(message('b', '{}'))

      const kept = await readAll(reader(), 6)
      const times = kept.slice(0, 5).map(({ receivedAtMs }) => receivedAtMs)
      const [first = 0] = times
      assert.deepEqual(
        times.map((timeMs) => timeMs - first),
        [0, 1, 4, 5, 6],
      )
      assert.ok(Math.abs(first - Date.now()) < 60_000)
    })

    test('takes messages from several writers', async (context) => {
      const { writer, reader } = await start(context)
      const writers = [writer(), writer(), writer()]
      await Promise.all(
        writers.flatMap((each, w) =>
          Array.from({ length: 100 }, (_, n) => each.append(message('a', String(w * 100 + n)))),
        ),
      )
      const kept = await readAll(reader(), 300)
      assert.equal(new Set(kept.map(textOf)).size, 300)
      assert.deepEqual(
        positions(kept),
        Array.from({ length: 300 }, (_, n) => n + 1),
      )
      assert.equal(new Set(kept.map(({ receivedAtMs }) => receivedAtMs)).size, 300)
    })

    test('keeps what was appended before the writer was closed', async (context) => {
      const { writer, reader } = await start(context)
      const append = writer()
      const appended = Promise.all(
        Array.from({ length: 50 }, (_, n) => append.append(message('a', String(n)))),
      )
      await append.close()
      await appended
      assert.equal((await reader().status()).depth, 50)
      await assert.rejects(append.append(message('a', 'late')), { code: 'journal-closed' })
    })
  })
}

export function message(topic: string, text: string, credential = 'device'): JournalMessage {
  return { topic, payload: Buffer.from(text), credential }
}

/** Reads until there are `count` messages. */
export async function readAll(reader: JournalReader, count: number, after = 0): Promise<KeptMessage[]> {
  const kept: KeptMessage[] = []
  const signal = new AbortController().signal
  while (kept.length < count) {
    kept.push(...(await reader.read({ after: kept.at(-1)?.position ?? after, limit: 1_000, signal })))
  }
  return kept
}

export function textOf({ payload }: JournalMessage): string {
  return Buffer.from(payload).toString()
}

export function positions(kept: readonly KeptMessage[]): number[] {
  return kept.map(({ position }) => position)
}

function toPlain({ topic, payload, credential }: JournalMessage): object {
  return { topic, credential, text: Buffer.from(payload).toString() }
}
