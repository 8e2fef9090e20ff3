import assert from 'node:assert/strict'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { MqttClient } from 'mqtt'
import { getSensor, waitForValues } from '../support/api.ts'
import { addDevice, runPulso, withBox, withFolder, type Secret } from '../support/box.ts'
import { connectDevice } from '../support/mqtt.ts'
import { waitFor } from '../support/wait.ts'

const topic = (sensor: string): string => `pulso/parking/${sensor}/telemetry`

describe('a device with a token', () => {
  it('speaks as on ThingsBoard: the token as its username, no password, ThingsBoard’s topic', async () => {
    await withBox({}, async (box) => {
      const secret = await addDevice(box, ['bay-1', '--kind', 'parking', '--token'])
      assert.equal(secret.password, '')
      const client = await connectDevice(box, secret)
      await client.publishAsync('v1/devices/me/telemetry', '{"status":"free"}', { qos: 1 })
      await waitForValues(box, 'bay-1', { status: 'free' })
      await assert.rejects(connectDevice(box, { username: 'bay-1', password: secret.username }))
      client.end(true)
    })
  })
})

describe('a revoked credential', () => {
  for (const [name, args, sensor] of [
    ['of a device', ['bay-1', '--kind', 'parking'], 'bay-1'],
    ['with a token', ['bay-1', '--kind', 'parking', '--token'], 'bay-1'],
    ['of a gateway', ['gate', '--gateway', 'gate-'], 'gate-1'],
  ] as const) {
    it(`${name} ends its connections at once, and what was measured stays`, async () => {
      await withBox({}, async (box) => {
        const secret = await addDevice(box, args)
        const clients = [await connectDevice(box, secret), await connectDevice(box, secret)]
        await clients[0]?.publishAsync(topic(sensor), '{"status":"occupied"}', { qos: 1 })
        await waitForValues(box, sensor, { status: 'occupied' })
        const closed = Promise.all(clients.map(untilClosed))
        const { code, stderr } = await runPulso(['device', 'revoke', args[0]], box)
        assert.equal(code, 0, stderr)
        await closed
        await assert.rejects(connectDevice(box, secret))
        assert.equal((await getSensor(box, sensor)).properties.values.status, 'occupied')
      })
    })
  }
})

describe('a replaced secret', () => {
  it('ends at once with its connections, or is good beside the new one for as long as it was given', async () => {
    await withBox({}, async (box) => {
      const first = await addDevice(box, ['bay-1', '--kind', 'parking'])
      const client = await connectDevice(box, first)
      const second = await rotate(box, ['bay-1', '--overlap', '1h'])
      await client.publishAsync(topic('bay-1'), '{"status":"free"}', { qos: 1 })
      for (const secret of [first, second]) (await connectDevice(box, secret)).end(true)

      const closed = untilClosed(client)
      const third = await rotate(box, ['bay-1'])
      await closed
      for (const secret of [first, second]) await assert.rejects(connectDevice(box, secret))
      ;(await connectDevice(box, third)).end(true)
    })
  })

  it('is replaced on a stopped box too', async () => {
    await withFolder(async (dataDir) => {
      await addDevice({ dataDir }, ['bay-1', '--kind', 'parking', '--token'])
      const secret = await rotate({ dataDir }, ['bay-1', '--overlap', '30d'])
      assert.equal(secret.password, '')
      const refused = await runPulso(['device', 'rotate', 'bay-1', '--overlap', '31d'], { dataDir })
      assert.equal(refused.code, 2)
      assert.match(refused.stderr, /30d/)
    })
  })
})

describe('device show', () => {
  it('tells a developer when the device was last heard and why its message was refused', async () => {
    await withBox({}, async (box) => {
      const secret = await addDevice(box, ['bay-1', '--kind', 'parking', '--name', 'By the door'])
      const client = await connectDevice(box, secret)
      await client.publishAsync(topic('bay-1'), '{"status":"free"}', { qos: 1 })
      await client.publishAsync(topic('bay-1'), '{"status":"empty"}', { qos: 1 })
      await waitForValues(box, 'bay-1', { status: 'free' })
      const shown = await waitFor(
        async () => {
          const { stdout } = await runPulso(['device', 'show', 'bay-1'], box)
          return stdout.includes('unknown-value') && stdout
        },
        { what: 'the refused message' },
      )
      for (const words of [/By the door/, /last reading .*status free/, /quarantined +1/, /free, occupied/]) {
        assert.match(shown, words)
      }
      assert.ok(!shown.includes(secret.password))
      assert.equal((await runPulso(['device', 'show', 'bay-2'], box)).code, 2)
      client.end(true)
    })
  })
})

describe('device import', () => {
  it('adds 10,000 devices to a running box within seconds, and again changes nothing', async () => {
    await withBox({}, async (box) => {
      const file = join(box.dataDir, 'devices.csv')
      const rows = Array.from(
        { length: 10_000 },
        (_, index) => `bay-${index},parking,43.46,-3.8${index % 100}`,
      )
      writeFileSync(file, ['id,kind,lat,lon', ...rows].join('\n'))
      const secrets = join(box.dataDir, 'secrets.csv')

      const homeless = await runPulso(['device', 'import', file], box)
      assert.equal(homeless.code, 2)
      assert.match(homeless.stderr, /10000 secrets.*--secrets/)

      const startedMs = performance.now()
      const added = await runPulso(['device', 'import', file, '--secrets', secrets], box)
      assert.equal(added.code, 0, added.stderr)
      assert.match(added.stdout, /10000 added, 0 updated, 0 unchanged/)
      assert.ok(performance.now() - startedMs < 30_000)
      assert.equal(statSync(secrets).mode & 0o777, 0o600)

      const [id, access, username, password] =
        readFileSync(secrets, 'utf8').trimEnd().split('\n').at(-1)?.split(',') ?? []
      assert.deepEqual([id, access, username], ['bay-9999', 'password', 'bay-9999'])
      const client = await connectDevice(box, { username: 'bay-9999', password: password ?? '' })
      await client.publishAsync(topic('bay-9999'), '{"status":"free"}', { qos: 1 })
      await waitForValues(box, 'bay-9999', { status: 'free' })

      const again = await runPulso(['device', 'import', file, '--json'], box)
      assert.equal(again.code, 0, again.stderr)
      assert.deepEqual(JSON.parse(again.stdout), {
        added: 0,
        updated: 0,
        unchanged: 10_000,
        otherSecretsKept: [],
        secrets: [],
      })
      const overwriting = await runPulso(
        ['device', 'import', addedRow(file, 'bay-x,parking,,'), '--secrets', secrets],
        box,
      )
      assert.equal(overwriting.code, 2)
      assert.match(overwriting.stderr, /Nothing was imported.*EEXIST/)
      client.end(true)
    })
  })

  it('of a file with mistakes tells each with its line and imports nothing, also on a stopped box', async () => {
    await withFolder(async (dataDir) => {
      const file = join(dataDir, 'devices.csv')
      writeFileSync(file, 'id,kind,lat,lon\nbay-1,parking,,\nbay-2,bins,,\nbay 3,parking,1,\n')
      const refused = await runPulso(['device', 'import', file, '--json'], { dataDir })
      assert.equal(refused.code, 2)
      assert.equal(refused.stdout, '')
      assert.match(
        refused.stderr,
        /devices\.csv:3: the kind is one of[^]*devices\.csv:4: lat and lon go together/,
      )
      assert.equal((await runPulso(['device', 'list', '--json'], { dataDir })).stdout, '[]\n')

      writeFileSync(file, 'id,kind,token\nbay-1,parking,burnt-in-token\nbay-2,parking,\n')
      const imported = await runPulso(['device', 'import', file, '--json'], { dataDir })
      assert.equal(imported.code, 0, imported.stderr)
      const { added, secrets } = JSON.parse(imported.stdout) as { added: number; secrets: Secret[] }
      assert.equal(added, 2)
      assert.deepEqual(
        secrets.map(({ username }) => username),
        ['bay-2'],
      )
      assert.ok(!imported.stdout.includes('burnt-in'))
    })
  })
})

async function rotate(box: { dataDir: string }, args: readonly string[]): Promise<Secret> {
  const { code, stdout, stderr } = await runPulso(['device', 'rotate', ...args, '--json'], box)
  assert.equal(code, 0, stderr)
  return JSON.parse(stdout) as Secret
}

function untilClosed(client: MqttClient): Promise<void> {
  client.on('error', () => undefined)
  return new Promise((resolve) => client.once('close', () => resolve()))
}

function addedRow(file: string, row: string): string {
  writeFileSync(file, `${readFileSync(file, 'utf8')}\n${row}\n`)
  return file
}
