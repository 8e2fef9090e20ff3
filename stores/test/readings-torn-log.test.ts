import assert from 'node:assert/strict'
import { once } from 'node:events'
import { spawn } from 'node:child_process'
import { appendFileSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { test, type TestContext } from 'node:test'
import { AppError } from '@pulso/model'
import type { Readings } from '@pulso/stores'
import { openDuckdbReadings } from '@pulso/stores/readings'
import type { CutLog } from '../src/readings-duckdb/torn-log.ts'
import { createFolder } from './support/folder.ts'
import { createKinds } from './support/kinds.ts'

const kinds = createKinds()
const HOLDER = new URL('./support/readings-killed.ts', import.meta.url)

/** A file with batches 1 to 3, whose process was killed: all of them are in its log alone. */
async function killedReadings(context: TestContext): Promise<{ file: string; log: string }> {
  const folder = createFolder()
  context.after(() => folder.remove())
  const file = `${folder.path}/readings.duckdb`
  const holder = spawn(process.execPath, [HOLDER.pathname, file], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(holder.stdout, 'data')
  holder.kill('SIGKILL')
  await once(holder, 'exit')
  return { file, log: `${file}.wal` }
}

async function openMending(
  file: string,
  committedPosition: number,
): Promise<{ readings: Readings; cuts: CutLog[] }> {
  const cuts: CutLog[] = []
  const mending = {
    committedPosition: async () => committedPosition,
    onMended: (cut: CutLog) => void cuts.push(cut),
  }
  return { readings: await openDuckdbReadings({ file, kinds, mending }), cuts }
}

test('a log that a power cut has made longer with zeros is cut where they begin', async (context) => {
  const { file, log } = await killedReadings(context)
  const before = readFileSync(log)
  appendFileSync(log, Buffer.alloc(10_000))
  await assert.rejects(openDuckdbReadings({ file, kinds }), /Corrupt WAL file/)

  const { readings, cuts } = await openMending(file, 3)
  assert.equal(await readings.position(), 3)
  await readings.close()
  assert.deepEqual(
    cuts.map(({ keptBytes, cutBytes }) => [keptBytes, cutBytes]),
    [[before.length, 10_000]],
  )
  assert.equal(statSync(String(cuts[0]?.original)).size, before.length + 10_000)
  assert.ok(!existsSync(`${file}.mending`) && !existsSync(`${file}.mending.wal`))
})

test('a batch whose end is damaged is left out when the registry has not committed it: the journal has it', async (context) => {
  const { file, log } = await killedReadings(context)
  damageEnd(log)
  const { readings, cuts } = await openMending(file, 2)
  assert.equal(await readings.position(), 2)
  assert.equal(cuts.length, 1)
  await readings.close()
})

test('a log is left as it is, and the file refused, when something committed would be lost', async (context) => {
  const { file, log } = await killedReadings(context)
  damageEnd(log)
  const before = readFileSync(log)
  await assert.rejects(
    openMending(file, 3),
    (error) => error instanceof AppError && error.message.includes('Corrupt WAL file'),
  )
  assert.deepEqual(readFileSync(log), before)
})

/** In the last entries, so that only a checksum tells. */
function damageEnd(log: string): void {
  const bytes = readFileSync(log)
  const at = bytes.length - 30
  bytes[at] = (bytes[at] ?? 0) ^ 0xff
  writeFileSync(log, bytes)
}
