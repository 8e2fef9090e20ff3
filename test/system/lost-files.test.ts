import assert from 'node:assert/strict'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { getSensor, waitForValues } from '../support/api.ts'
import { addDevice, runPulso, startBox, withFolder, type RunningBox } from '../support/box.ts'
import { connectDevice } from '../support/mqtt.ts'

const TOPIC = 'pulso/environment/air-1/telemetry'

async function addAndSend(box: RunningBox, pm25: number): Promise<void> {
  const client = await connectDevice(box, await addDevice(box, ['air-1', '--kind', 'environment']))
  await client.publishAsync(TOPIC, JSON.stringify({ pm25 }), { qos: 1 })
  await waitForValues(box, 'air-1', { pm25 })
  client.end(true)
}

describe('a data folder of which a file is lost', () => {
  it('does not pass for a new city without its registry, unless that is what is wanted', async () => {
    await withFolder(async (dataDir) => {
      const box = await startBox({ dataDir })
      await addAndSend(box, 7)
      await box.stop()
      for (const end of ['', '-wal', '-shm'])
        await rm(join(dataDir, `registry.sqlite${end}`), { force: true })

      for (const command of [['start'], ['device', 'list']]) {
        const { code, stderr } = await runPulso(command, { dataDir })
        assert.equal(code, 2, stderr)
        assert.match(stderr, /registry\.sqlite is missing.*pulso restore.*--accept-loss/)
      }

      const anew = await startBox({ dataDir, args: ['--accept-loss'] })
      try {
        assert.match(anew.log(), /registry\.sqlite is missing/)
        await addAndSend(anew, 8)
      } finally {
        await anew.stop()
      }
    })
  })

  it('goes on without its journal, says what that means, and takes new messages for new', async () => {
    await withFolder(async (dataDir) => {
      const box = await startBox({ dataDir })
      await addAndSend(box, 7)
      await box.stop()
      for (const end of ['', '-wal', '-shm']) await rm(join(dataDir, `journal.sqlite${end}`), { force: true })

      const second = await startBox({ dataDir })
      try {
        assert.match(
          second.log(),
          /journal\.sqlite is missing: what was acknowledged and not yet stored is lost/,
        )
        assert.equal((await getSensor(second, 'air-1')).properties.values.pm25, 7)
        const client = await connectDevice(second, await rotate(second))
        await client.publishAsync(TOPIC, '{"pm25":9}', { qos: 1 })
        await waitForValues(second, 'air-1', { pm25: 9 })
        client.end(true)
      } finally {
        await second.stop()
      }
    })
  })
})

async function rotate(box: RunningBox): Promise<{ username: string; password: string }> {
  const { code, stdout, stderr } = await runPulso(['device', 'rotate', 'air-1', '--json'], box)
  assert.equal(code, 0, stderr)
  return JSON.parse(stdout) as { username: string; password: string }
}
