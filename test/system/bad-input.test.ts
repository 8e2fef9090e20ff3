import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { getSensor, readMetric, signIn, waitForValues } from '../support/api.ts'
import { addDevice, withBox, type RunningBox, type Secret } from '../support/box.ts'
import { connectDevice } from '../support/mqtt.ts'

const HOUR_MS = 3_600_000

/** What is accepted at the door and kept aside, each with the reason that a developer sees. */
const QUARANTINED: readonly [string, string, string | Buffer, string][] = [
  ['wrong JSON', 'pulso/environment/air-1/telemetry', '{"pm25": 12', 'invalid-json'],
  ['invalid UTF-8', 'pulso/environment/air-1/telemetry', Buffer.from([0x7b, 0xff, 0x7d]), 'invalid-json'],
  ['an empty payload', 'pulso/environment/air-1/telemetry', '', 'empty-payload'],
  ['a number alone', 'pulso/environment/air-1/telemetry', '12', 'invalid-payload'],
  ['a text for a number', 'pulso/environment/air-1/telemetry', '{"pm25":"12"}', 'wrong-type'],
  ['a value out of range', 'pulso/environment/air-1/telemetry', '{"co":500}', 'out-of-range'],
  ['percent for a share', 'pulso/environment/air-1/telemetry', '{"relativeHumidity":80}', 'out-of-range'],
  ['an unknown kind', 'pulso/bins/air-1/telemetry', '{"level":1}', 'unknown-kind'],
  ['another kind than the sensor’s', 'pulso/parking/air-1/telemetry', '{"status":"free"}', 'kind-mismatch'],
  [
    'a time in the future',
    'pulso/environment/air-1/telemetry',
    JSON.stringify({ time: Date.now() + HOUR_MS, pm25: 1 }),
    'clock',
  ],
  [
    'a time long past',
    'pulso/environment/air-1/telemetry',
    JSON.stringify({ time: Date.now() - 8 * 24 * HOUR_MS, pm25: 1 }),
    'clock',
  ],
  [
    'a time without a zone',
    'pulso/environment/air-1/telemetry',
    '{"time":"2026-01-01T00:00:00","pm25":1}',
    'invalid-time',
  ],
  ['presence that is none', 'pulso/environment/air-1/presence', 'maybe', 'invalid-payload'],
]

describe('bad input', () => {
  it('is kept aside with its reason, and the other readings arrive', async () => {
    await withBox({}, async (box) => {
      const secret = await addDevice(box, ['air-1', '--kind', 'environment'])
      const operator = await signIn(box)
      const client = await connectDevice(box, secret)
      for (const [, topic, payload] of QUARANTINED) await client.publishAsync(topic, payload, { qos: 1 })
      await client.publishAsync('pulso/environment/air-1/telemetry', '{"pm25":7,"radiation":3}', { qos: 1 })
      await waitForValues(box, 'air-1', { pm25: 7 })

      const entries = await operator.quarantine()
      assert.deepEqual(
        entries.toReversed().map(({ reason }) => reason),
        QUARANTINED.map(([, , , reason]) => reason),
      )
      for (const entry of entries) assert.ok(entry.detail.length > 10, entry.reason)
      assert.equal(await readMetric(box, 'pulso_messages_quarantined_total', 'reason="clock"'), 2)
      client.end(true)
    })
  })

  it('in one metric leaves the other metrics of the message alone', async () => {
    await withBox({}, async (box) => {
      const secret = await addDevice(box, ['garage-1', '--kind', 'carpark'])
      const operator = await signIn(box)
      const client = await connectDevice(box, secret)
      const payload = '{"availableSpotNumber":8259,"totalSpotNumber":140}'
      await client.publishAsync('pulso/carpark/garage-1/telemetry', payload, { qos: 1 })
      await waitForValues(box, 'garage-1', { totalSpotNumber: 140 })
      assert.equal((await getSensor(box, 'garage-1')).properties.values.availableSpotNumber, undefined)
      const [entry] = await operator.quarantine()
      assert.equal(entry?.reason, 'over-capacity')
      assert.equal(entry.metric, 'availableSpotNumber')
      assert.equal(entry.payload, payload)
      client.end(true)
    })
  })

  it('that the door refuses ends that connection alone', async () => {
    await withBox({}, async (box) => {
      const secret = await addDevice(box, ['air-1', '--kind', 'environment'])
      const bystander = await connectDevice(box, secret)
      assert.equal(
        await endsWhenPublishing(box, secret, { topic: 'city/air-1', payload: '{}' }),
        true,
        'a topic that is not ours',
      )
      const large = { topic: 'pulso/environment/air-1/telemetry', payload: Buffer.alloc(1024 * 1024, 'x') }
      assert.equal(await endsWhenPublishing(box, secret, large), true, 'a payload of 1 MB')
      await assert.rejects(
        connectDevice(box, { ...secret, password: 'wrong' }),
        /not authori[sz]ed|bad user ?name or password/i,
      )
      await assert.rejects(
        connectDevice(box, { username: 'nobody', password: 'wrong' }),
        /not authori[sz]ed|bad user ?name or password/i,
      )

      await bystander.publishAsync('pulso/environment/air-1/telemetry', '{"pm25":7}', { qos: 1 })
      await waitForValues(box, 'air-1', { pm25: 7 })
      assert.equal(box.process.exitCode, null)
      bystander.end(true)
    })
  })
})

async function endsWhenPublishing(
  box: RunningBox,
  secret: Secret,
  message: { topic: string; payload: string | Buffer },
): Promise<boolean> {
  const client = await connectDevice(box, secret)
  client.on('error', () => undefined)
  const closed = new Promise<boolean>((resolve) => client.once('close', () => resolve(true)))
  const acknowledged = client.publishAsync(message.topic, message.payload, { qos: 1 }).then(
    () => false,
    () => true,
  )
  const isEnded = await Promise.race([closed, acknowledged])
  client.end(true)
  return isEnded
}
