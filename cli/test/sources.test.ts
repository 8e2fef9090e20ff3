import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import type { SourceSettings } from '@pulso/ingest'
import { AppError } from '@pulso/model'
import { loadSources } from '../src/config/sources.ts'

const HALL = { name: 'hall', url: 'mqtts://broker.example:8884', topics: ['pulso/+/+/telemetry', 'v3/#'] }

async function load(context: TestContext, content: unknown, files = {}): Promise<SourceSettings[]> {
  const folder = await mkdtemp(join(tmpdir(), 'pulso-sources-'))
  context.after(() => rm(folder, { recursive: true, force: true }))
  for (const [name, text] of Object.entries<string>(files)) await writeFile(join(folder, name), text)
  const file = join(folder, 'sources.json')
  await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content))
  return loadSources(file)
}

async function mistakesOf(context: TestContext, content: unknown): Promise<readonly string[]> {
  try {
    await load(context, content)
  } catch (error) {
    assert.ok(error instanceof AppError)
    assert.equal(error.code, 'invalid-sources')
    for (const mistake of error.details) assert.ok(error.message.includes(mistake))
    return error.details
  }
  return []
}

describe('the file of external brokers', () => {
  test('need not be there', async () => {
    assert.deepEqual(await loadSources(null), [])
  })

  test('gives each broker a session of its own, QoS 1 and what else was left out', async (context) => {
    assert.deepEqual(await load(context, [HALL]), [
      {
        ...HALL,
        username: null,
        password: null,
        clientId: 'pulso-hall',
        qos: 1,
        tls: { ca: null, cert: null, key: null },
      },
    ])
  })

  test('reads secrets and certificates from files beside it', async (context) => {
    const [source] = await load(
      context,
      [{ ...HALL, username: 'city', passwordFile: 'p', ca: 'ca.pem', cert: 'c.pem', key: 'k.pem' }],
      { p: 'top-secret\n', 'ca.pem': 'CA', 'c.pem': 'CERT', 'k.pem': 'KEY' },
    )
    assert.equal(source?.password, 'top-secret')
    assert.deepEqual(source.tls, { ca: 'CA', cert: 'CERT', key: 'KEY' })
  })

  test('is refused with every mistake at once, and without a secret', async (context) => {
    const mistakes = await mistakesOf(context, [
      { ...HALL, colour: 'blue', qos: 3, password: 'top-secret' },
      { name: 'a b', url: 'http://x', topics: ['a/#/b', 'c+'] },
      { name: 'c', url: 'mqtt://user:top-secret@x', topics: [], ca: 'nowhere.pem', cert: 'x.pem' },
      { ...HALL },
      'top-secret',
    ])
    const expected = [
      /^hall: there is no 'colour'/,
      /^hall: qos must be/,
      /^hall: has a password and no username/,
      /^source 2: name must be/,
      /^source 2: url must be/,
      /^source 2: topics must be topic filters/,
      /^c: url must not hold a user/,
      /^c: topics must be a list/,
      /^c: ca cannot be read/,
      /^c: cert cannot be read/,
      /^c: cert and key belong together/,
      /^c: ca, cert and key need a url that begins with mqtts/,
      /^source 5: must be an object/,
      /^two sources have the name hall/,
      /^two sources have the client id and broker pulso-hall/,
    ]
    for (const pattern of expected)
      assert.ok(
        mistakes.some((mistake) => pattern.test(mistake)),
        String(pattern),
      )
    assert.ok(!mistakes.join().includes('top-secret'))
  })

  test('that is no JSON, no list or not there is refused, and not shown', async (context) => {
    assert.deepEqual(await mistakesOf(context, '[{"password":"top-secret}]'), ['it is not JSON'])
    assert.match((await mistakesOf(context, {}))[0] ?? '', /must be a list/)
    await assert.rejects(loadSources('/nowhere/sources.json'), /cannot be read/)
  })
})
