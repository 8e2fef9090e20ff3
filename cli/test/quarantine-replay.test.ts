import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import {
  createSqliteJournal,
  createSqliteJournalReader,
  createSqliteJournalWriter,
  openSqliteRegistry,
  REPLAY_CREDENTIAL,
  type JournalReader,
  type JournalWriter,
  type QuarantineEntry,
  type Registry,
} from '@pulso/stores'
import { pino } from 'pino'
import { waitFor } from '../../test/support/wait.ts'
import { createQuarantineKeeper } from '../src/box/quarantine-keeper.ts'
import { createReplay, type ReplayOptions } from '../src/box/quarantine-replay.ts'

const NOW_MS = Date.UTC(2026, 4, 1)
const ALL = { throughId: 1_000 }

interface Stores {
  registry: Registry
  reader: JournalReader
  writer: JournalWriter
}

test('puts each message in once, with its first time, and tells how to go on', async (t) => {
  const { reader, registry, ...stores } = await openStores(t)
  await keep(
    registry,
    toEntry(1, { metric: 'a' }),
    toEntry(1, { metric: 'b' }),
    toEntry(2),
    toEntry(3, { receivedAtMs: NOW_MS + 60_000 }),
  )
  const replay = createReplay({
    ...stores,
    registry,
    journal: stores.writer,
    progress: async () => ({ position: 0, journal: { ...(await reader.status()), depth: 0 } }),
    limits: { entries: 2 },
  })
  const first = await replay.step(ALL, 0)
  assert.deepEqual(first, {
    entries: 2,
    messages: 1,
    refused: 0,
    settled: true,
    next: { after: 2, through: 1_000 },
  })
  assert.deepEqual((await replay.step(ALL, 2)).next, { after: 4, through: 1_000 })
  assert.deepEqual(await replay.step(ALL, 4), {
    entries: 0,
    messages: 0,
    refused: 0,
    settled: true,
    next: null,
  })
  const messages = await reader.read({ after: 0, limit: 10, signal: AbortSignal.timeout(5_000) })
  assert.deepEqual(
    messages.map(({ topic, receivedAtMs, credential }) => [topic, receivedAtMs, credential]),
    [
      ['t/1', NOW_MS + 1, REPLAY_CREDENTIAL],
      ['t/2', NOW_MS + 2, REPLAY_CREDENTIAL],
      ['t/3', NOW_MS + 60_000, REPLAY_CREDENTIAL],
    ],
  )
  assert.equal((await registry.countQuarantine()).entries, 0)
})

test('leaves everything in quarantine when the journal does not keep it, is full, or takes too long', async (t) => {
  const { reader, registry, writer } = await openStores(t)
  await keep(registry, toEntry(1))
  const never = new Promise<never>(() => undefined)
  const attempts: [Partial<ReplayOptions>, string][] = [
    [{ journal: { ...writer, append: () => Promise.reject(new Error('No space')) } }, 'No space'],
    [{ journal: { ...writer, append: () => never } }, 'not taken'],
    [
      { progress: async () => ({ position: 0, journal: { ...(await reader.status()), full: 'disk' } }) },
      'disk',
    ],
  ]
  for (const [changes, message] of attempts) {
    const replay = createReplay({
      registry,
      journal: writer,
      progress: async () => ({ position: 0, journal: await reader.status() }),
      limits: { waitMs: 20 },
      ...changes,
    })
    await assert.rejects(replay.step(ALL, 0), { message: new RegExp(message) })
    assert.equal((await registry.countQuarantine()).entries, 1, message)
  }
})

test('says so when ingest does not get to the messages', async (t) => {
  const { reader, registry, writer } = await openStores(t)
  await keep(registry, toEntry(1))
  const replay = createReplay({
    registry,
    journal: writer,
    progress: async () => ({ position: 0, journal: await reader.status() }),
    limits: { waitMs: 20, lookMs: 5 },
  })
  const { entries, settled } = await replay.step(ALL, 0)
  assert.deepEqual([entries, settled], [1, false])
})

test('counts what is refused again while others send too', async (t) => {
  const { reader, registry, writer } = await openStores(t)
  await keep(registry, toEntry(1), toEntry(2))
  const replay = createReplay({
    registry,
    journal: writer,
    // An ingest that refuses the first and meanwhile sets something else aside.
    async progress() {
      const status = await reader.status()
      const position = status.depth > 0 ? 2 : 0
      if (position > 0 && (await registry.ingestPosition()) === 0)
        await registry.commitIngest({
          position,
          newSensors: [],
          states: [],
          quarantine: [{ ...toEntry(1), isReturned: true }, toEntry(9)],
        })
      await reader.acknowledge(position)
      return { position, journal: status }
    },
  })
  const { entries, refused, settled } = await replay.step(ALL, 0)
  assert.deepEqual([entries, refused, settled], [2, 1, true])
  assert.deepEqual((await registry.countQuarantine()).bySensor, { s1: 1, s9: 1 })
})

test('forgets what is too old in small steps, at the start and again and again', async (t) => {
  const { registry } = await openStores(t)
  const clock = { nowMs: NOW_MS, now: () => clock.nowMs }
  await keep(registry, ...Array.from({ length: 12 }, (_, n) => toEntry(n)))
  const keeper = createQuarantineKeeper({
    registry,
    clock,
    keepMs: 0,
    logger: pino({ level: 'silent' }),
    everyMs: 5,
    step: 2,
    pauseMs: 1,
  })
  const count = async (): Promise<number> => (await registry.countQuarantine()).entries
  clock.nowMs = NOW_MS + 7
  keeper.start()
  await waitFor(async () => (await count()) === 5, { what: 'the old ones to go', everyMs: 5 })
  clock.nowMs = NOW_MS + 10
  await waitFor(async () => (await count()) === 2, { what: 'those that became old to go', everyMs: 5 })
  await keeper.stop()
})

async function openStores(t: TestContext): Promise<Stores> {
  const folder = await mkdtemp(join(tmpdir(), 'pulso-replay-'))
  const file = join(folder, 'journal.sqlite')
  const journal = createSqliteJournal({ file })
  await journal.start()
  const writer = createSqliteJournalWriter({ port: journal.writerPort() })
  const reader = createSqliteJournalReader({ port: journal.readerPort(), file })
  const registry = await openSqliteRegistry({ file: join(folder, 'registry.sqlite') })
  t.after(async () => {
    await writer.close()
    await reader.close()
    await journal.stop()
    await registry.close()
    await rm(folder, { recursive: true })
  })
  return { registry, reader, writer }
}

async function keep(registry: Registry, ...quarantine: QuarantineEntry[]): Promise<void> {
  await registry.commitIngest({ position: 0, newSensors: [], states: [], quarantine })
}

function toEntry(n: number, changes: Partial<QuarantineEntry> = {}): QuarantineEntry {
  return {
    receivedAtMs: NOW_MS + n,
    reason: 'clock',
    detail: 'Too late',
    topic: `t/${n}`,
    sensorId: `s${n}`,
    metric: null,
    payload: Buffer.from(String(n)),
    ...changes,
  }
}
