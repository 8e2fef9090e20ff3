import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLiveConnection, retryDelayMs, type ConnectionStatus } from '../src/citizen/live-connection.ts'

const EVENT = JSON.stringify({ time: '2026-06-01T12:00:00.000Z', sensors: [], zones: [], city: [] })

/** The browser's EventSource does not exist in Node: one that a test speaks through. */
function createStreams() {
  const opened: { address: string; isClosed: boolean; tell: (type: string, data?: string) => void }[] = []
  return {
    opened,
    open(address: string) {
      const listeners: Record<string, (event: MessageEvent<string>) => void> = {}
      const stream = {
        address,
        isClosed: false,
        tell: (type: string, data = '') => listeners[type]?.(new MessageEvent(type, { data })),
      }
      opened.push(stream)
      return {
        addEventListener(type: string, listener: (event: MessageEvent<string>) => void) {
          listeners[type] = listener
        },
        close() {
          stream.isClosed = true
        },
      }
    },
  }
}

function setUp() {
  const streams = createStreams()
  const statuses: ConnectionStatus[] = []
  const heard: string[] = []
  const waiting: { action: () => void; delayMs: number }[] = []
  const connection = createLiveConnection({
    open: streams.open,
    onSnapshot: (_, kind) => heard.push(`snapshot ${kind}`),
    onDelta: (_, kind) => heard.push(`delta ${kind}`),
    onStatus: (status) => statuses.push(status),
    schedule(action, delayMs) {
      const entry = { action, delayMs }
      waiting.push(entry)
      return () => waiting.splice(waiting.indexOf(entry), 1)
    },
    random: () => 1,
  })
  return { connection, streams: streams.opened, statuses, heard, waiting }
}

test('is live from the first snapshot on, and passes deltas with their kind', () => {
  const { connection, streams, statuses, heard } = setUp()
  connection.follow('bins')
  assert.equal(streams[0]?.address, '/api/v1/live?kinds=bins')
  streams[0].tell('snapshot', EVENT)
  streams[0].tell('delta', EVENT)
  assert.deepEqual(heard, ['snapshot bins', 'delta bins'])
  assert.deepEqual(statuses, ['live'])
})

test('comes back by itself, waiting longer each time, and starts over after a success', () => {
  const { connection, streams, statuses, waiting } = setUp()
  connection.follow('bins')
  const delays: number[] = []
  for (let attempt = 0; attempt < 7; attempt++) {
    streams.at(-1)?.tell('error')
    const next = waiting.pop()
    delays.push(next?.delayMs ?? 0)
    next?.action()
  }
  assert.deepEqual(delays, [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000])
  assert.ok(statuses.every((status) => status === 'lost'))
  streams.at(-1)?.tell('snapshot', EVENT)
  streams.at(-1)?.tell('error')
  assert.equal(waiting.pop()?.delayMs, 1_000)
})

test('closes the old stream when another kind is followed, and hears it no more', () => {
  const { connection, streams, heard } = setUp()
  connection.follow('bins')
  connection.follow('lamps')
  assert.equal(streams[0]?.isClosed, true)
  streams[0].tell('delta', EVENT)
  streams[1]?.tell('snapshot', EVENT)
  assert.deepEqual(heard, ['snapshot lamps'])
})

test('tries at once when told that the device is back, and not when it is connected', () => {
  const { connection, streams, waiting } = setUp()
  connection.follow('bins')
  connection.retryNow()
  assert.equal(streams.length, 1)
  streams[0]?.tell('error')
  connection.retryNow()
  assert.equal(streams.length, 2)
  assert.equal(waiting.length, 0)
})

test('after a stop nothing is opened any more', () => {
  const { connection, streams, waiting } = setUp()
  connection.follow('bins')
  streams[0]?.tell('error')
  connection.stop()
  connection.retryNow()
  assert.equal(waiting.length, 0)
  assert.equal(streams.length, 1)
})

test('spreads the returns over half of the wait', () => {
  assert.equal(retryDelayMs(2, 0), 2_000)
  assert.equal(retryDelayMs(2, 1), 4_000)
})
