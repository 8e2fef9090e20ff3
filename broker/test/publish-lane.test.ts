import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { generate, type Packet } from 'mqtt-packet'
import { createPublishLane, type LanePublish } from '../src/publish-lane.ts'

const publish = (fields: { topic?: string; payload?: string; qos?: 0 | 1 | 2; messageId?: number }): Buffer =>
  generate({
    cmd: 'publish',
    topic: 'pulso/parking/bay/telemetry',
    payload: '{}',
    qos: 1,
    messageId: 1,
    dup: false,
    retain: false,
    ...fields,
  })
const PING = generate({ cmd: 'pingreq' } satisfies Packet)

/** What a lane makes of a stream that comes in pieces of a size. */
function run(stream: Buffer, pieceBytes: number, mayTake: (topic: string) => boolean = () => true) {
  const taken: { topic: string; payload: string; packetId: number }[] = []
  const passed: Buffer[] = []
  const lane = createPublishLane(({ bytes, topicAt, topicEnd, packetId, payloadAt, end }: LanePublish) => {
    const topic = bytes.toString('utf8', topicAt, topicEnd)
    if (!mayTake(topic)) return false
    taken.push({ topic, payload: bytes.toString('utf8', payloadAt, end), packetId })
    return true
  })
  for (let at = 0; at < stream.length; at += pieceBytes) {
    const rest = lane.pass(stream.subarray(at, at + pieceBytes))
    if (rest) passed.push(Buffer.from(rest))
  }
  return { taken, passed: Buffer.concat(passed) }
}

describe('the publish lane', () => {
  test('takes the same out however the stream is cut, and passes the rest on in order', () => {
    const long = 'x'.repeat(20_000)
    const second = publish({ qos: 2, messageId: 7 })
    const foreign = publish({ topic: 'a/b', messageId: 9 })
    const stream = Buffer.concat([
      publish({ messageId: 1 }),
      PING,
      publish({ qos: 0, payload: '' }),
      PING,
      publish({ messageId: 65_535, payload: long }),
      PING,
      second,
      foreign,
    ])
    for (const pieceBytes of [1, 2, 3, 7, 100, 4_096, stream.length]) {
      const { taken, passed } = run(stream, pieceBytes, (topic) => topic.startsWith('pulso/'))
      assert.deepEqual(
        taken.map(({ packetId, payload }) => [packetId, payload]),
        [
          [1, '{}'],
          [0, ''],
          [65_535, long],
        ],
        `${pieceBytes}`,
      )
      assert.deepEqual(passed, Buffer.concat([PING, PING, PING, second, foreign]), `${pieceBytes}`)
    }
  })

  test('lets no message overtake one that passes', () => {
    const second = publish({ qos: 2, messageId: 7, payload: 'x'.repeat(50) })
    const behind = publish({ messageId: 8 })
    const stream = Buffer.concat([second, behind])
    assert.deepEqual(run(stream, stream.length), { taken: [], passed: stream })
    // Cut inside the one that passes: what follows in the same chunk as its end is not taken either.
    for (const pieceBytes of [40, second.length - 1, second.length + 1]) {
      const { taken, passed } = run(stream, pieceBytes)
      assert.deepEqual(passed.subarray(0, second.length), second)
      assert.equal(taken.length + (passed.length > second.length ? 1 : 0), 1, `${pieceBytes}`)
    }
  })

  test('passes on what is no PUBLISH that it could answer', () => {
    const withoutId = publish({ messageId: 1 })
    withoutId.writeUInt16BE(0, 2 + 2 + 'pulso/parking/bay/telemetry'.length)
    const bothBits = publish({ messageId: 1 })
    bothBits[0] = 0x36
    const endless = publish({ messageId: 1 })
    endless.writeUInt16BE(60_000, 2)
    for (const stream of [withoutId, bothBits, endless]) {
      const { taken, passed } = run(stream, stream.length)
      assert.deepEqual(taken, [])
      assert.deepEqual(passed, stream)
    }
  })

  test('holds no more of an unfinished message than has arrived of it', () => {
    const lane = createPublishLane(() => assert.fail('not whole'))
    const stream = publish({ payload: 'x'.repeat(60_000) })
    for (let at = 0; at < stream.length - 1; at++) assert.equal(lane.pass(stream.subarray(at, at + 1)), null)
  })
})
