import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { addDevice, ROOT, runPulso, startBox, withBox, withFolder } from '../support/box.ts'

describe('pulso start refuses, with exit code 2 and nothing half-started,', () => {
  it('settings with mistakes, all of them in one message', async () => {
    await withFolder(async (folder) => {
      const dataDir = join(folder, 'data')
      const env = {
        PULSO_HTTP_PORT: 'eighty',
        PULSO_CLOCK_PAST: 'a week',
        PULSO_HTPP_HOST: 'x',
        PULSO_READINGS: 'excel',
      }
      const { code, stderr, stdout } = await runPulso(['start'], { dataDir, env })
      assert.equal(code, 2)
      for (const name of Object.keys(env)) assert.match(stderr, new RegExp(`${name}: `))
      assert.match(stderr, /did you mean PULSO_HTTP_HOST/)
      assert.equal(stdout, '')
      assert.equal(existsSync(dataDir), false)
    })
  })

  it('a city file with mistakes, all of them in one message', async () => {
    await withFolder(async (folder) => {
      const file = join(folder, 'city.json')
      const city = JSON.parse(readFileSync(join(ROOT, 'model/cities/santander.json'), 'utf8')) as Record<
        string,
        unknown
      >
      writeFileSync(file, JSON.stringify({ ...city, timeZone: 'Europe/Santander', colour: 'blue' }))
      const schemaMistake = await runPulso(['start'], {
        dataDir: join(folder, 'data'),
        env: { PULSO_CITY: file },
      })
      assert.equal(schemaMistake.code, 2)
      assert.match(schemaMistake.stderr, /colour/)

      writeFileSync(file, JSON.stringify({ ...city, timeZone: 'Europe/Santander', bounds: [1, 1, 0, 0] }))
      const contradictions = await runPulso(['start'], {
        dataDir: join(folder, 'data'),
        env: { PULSO_CITY: file },
      })
      assert.equal(contradictions.code, 2)
      assert.match(contradictions.stderr, /timeZone[^]*bounds|bounds[^]*timeZone/)

      writeFileSync(file, '{"name": ')
      assert.equal(
        (await runPulso(['start'], { dataDir: join(folder, 'data'), env: { PULSO_CITY: file } })).code,
        2,
      )
      assert.equal(
        (await runPulso(['start'], { dataDir: join(folder, 'data'), env: { PULSO_CITY: '/no/such.json' } }))
          .code,
        2,
      )
    })
  })

  for (const name of ['PULSO_HTTP_PORT', 'PULSO_MQTT_PORT']) {
    it(`a ${name} in use, and says which`, async () => {
      const blocker = createServer().listen(0, '127.0.0.1')
      await new Promise((resolve) => blocker.once('listening', resolve))
      const { port } = blocker.address() as AddressInfo
      try {
        await withFolder(async (dataDir) => {
          const { code, stderr } = await runPulso(['start'], { dataDir, env: { [name]: String(port) } })
          assert.equal(code, 2, stderr)
          assert.match(stderr, new RegExp(`127\\.0\\.0\\.1:${port}`))
        })
      } finally {
        blocker.close()
      }
    })
  }

  it('a data folder that another box uses', async () => {
    await withBox({}, async (box) => {
      const { code, stderr } = await runPulso(['start'], box)
      assert.equal(code, 2)
      assert.match(stderr, /in use by another Pulso \(process \d+\)/)
    })
  })

  it('commands that do not exist, and parts that need servers', async () => {
    await withFolder(async (dataDir) => {
      assert.equal((await runPulso(['sing'], { dataDir })).code, 2)
      for (const part of ['broker', 'ingest', 'api'])
        assert.equal((await runPulso([part], { dataDir })).code, 2)
      assert.equal((await runPulso(['--help'], { dataDir })).code, 0)
    })
  })
})

describe('the data folder', () => {
  it('and every file in it is for its owner alone', async () => {
    await withFolder(async (folder) => {
      // One that was there before, open to all as most shells make it.
      const dataDir = join(folder, 'data')
      mkdirSync(dataDir, { mode: 0o755 })
      const box = await startBox({ dataDir, args: ['--demo'] })
      try {
        const files = readdirSync(dataDir)
        assert.ok(files.includes('registry.sqlite') && files.includes('control.sock'))
        for (const file of files) assert.equal(statSync(join(dataDir, file)).mode & 0o077, 0, file)
      } finally {
        await box.stop()
      }
    })
  })
})

describe('devices', () => {
  it('are added, listed, given a new secret and revoked, while the box runs and while it does not', async () => {
    await withFolder(async (dataDir) => {
      const cold = await addDevice({ dataDir }, ['bay-1', '--kind', 'parking'])
      assert.equal(cold.username, 'bay-1')
      assert.ok(cold.password.length >= 32)
      await exerciseDevices({ dataDir })
    })
    await withBox({}, async (box) => {
      await addDevice(box, ['bay-1', '--kind', 'parking'])
      await exerciseDevices(box)
    })
  })

  it('with mistakes are refused in words', async () => {
    await withFolder(async (dataDir) => {
      const { code, stderr } = await runPulso(
        ['device', 'add', 'bay 1', '--kind', 'bins', '--lat', '99', '--lon', '1'],
        { dataDir },
      )
      assert.equal(code, 2)
      for (const part of [/'bay 1' is not an id/, /the kind is one of .*parking/, /the latitude is/])
        assert.match(stderr, part)
      assert.equal(
        (await runPulso(['device', 'add', 'bay-1', '--kind', 'parking', '--lat', '43'], { dataDir })).code,
        2,
      )
    })
  })
})

async function exerciseDevices(box: { dataDir: string }): Promise<void> {
  const twice = await runPulso(['device', 'add', 'bay-1', '--kind', 'parking'], box)
  assert.equal(twice.code, 2)
  assert.match(twice.stderr, /already/)
  const rotated = await runPulso(['device', 'rotate', 'bay-1', '--json'], box)
  assert.equal(rotated.code, 0, rotated.stderr)
  const list = JSON.parse((await runPulso(['device', 'list', '--json'], box)).stdout) as {
    device: string
    kind: string
  }[]
  assert.deepEqual(
    list.map(({ device, kind }) => [device, kind]),
    [['bay-1', 'parking']],
  )
  assert.equal((await runPulso(['device', 'revoke', 'bay-1'], box)).code, 0)
  assert.equal((await runPulso(['device', 'revoke', 'bay-1'], box)).code, 2)
}
