import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, test, type TestContext } from 'node:test'
import { InfluxDB } from '@influxdata/influxdb-client'
import type { ResultTable } from '../src/readings-influxdb/influxql.ts'
import { streamInflux } from '../src/readings-influxdb/stream.ts'

const UNAVAILABLE = { code: 'readings-unavailable', retryable: true }

describe('an answer of InfluxDB in pieces', () => {
  test('is given piece by piece, wherever the network cuts it', async (context) => {
    const body = Buffer.from(piece(1, { partial: true }) + piece(2, { partial: true }) + piece(3))
    const tables = await ask(context, (response) => {
      // In the middle of a line, and of a character.
      const cut = body.indexOf('é') + 1
      response.write(body.subarray(0, cut))
      setImmediate(() => response.end(body.subarray(cut)))
    })
    assert.deepEqual(
      tables.map(({ tags, rows }) => [tags?.sensor_id, rows]),
      [1, 2, 3].map((n) => [`é${n}`, [[n, n]]]),
    )
  })

  test('is refused when it announces more and there is none', async (context) => {
    const asking = ask(context, (response) => response.end(piece(1) + piece(2, { partial: true })))
    await assert.rejects(asking, UNAVAILABLE)
  })

  test('is refused when its last line is cut off', async (context) => {
    const asking = ask(context, (response) => response.end(piece(1) + piece(2).slice(0, 20)))
    await assert.rejects(asking, UNAVAILABLE)
  })

  test('is refused when it is empty', async (context) => {
    await assert.rejects(
      ask(context, (response) => response.end()),
      UNAVAILABLE,
    )
  })

  test('is refused when the server falls silent in the middle', async (context) => {
    const asking = ask(context, (response) => void response.write(piece(1, { partial: true })), 100)
    await assert.rejects(asking, UNAVAILABLE)
  })

  test('fails when the connection breaks in the middle', async (context) => {
    const asking = ask(context, (response) => {
      response.write(piece(1, { partial: true }), () => response.destroy())
    })
    await assert.rejects(asking)
  })

  test('tells in the server’s words why a statement failed', async (context) => {
    const error = JSON.stringify({ results: [{ statement_id: 0, error: 'database not found: city' }] })
    const asking = ask(context, (response) => response.end(`${error}\n`))
    await assert.rejects(asking, { ...UNAVAILABLE, message: /database not found/ })
  })
})

function piece(n: number, more: { partial?: boolean } = {}): string {
  const series = [{ name: 'bin', tags: { sensor_id: `é${n}` }, columns: ['time', 'level'], values: [[n, n]] }]
  return `${JSON.stringify({ results: [{ statement_id: 0, series, ...more }] })}\n`
}

async function ask(
  context: TestContext,
  answer: (response: ServerResponse) => void,
  silenceMs = 10_000,
): Promise<ResultTable[]> {
  const server = createServer((request, response) => {
    request.resume().once('end', () => {
      response.writeHead(200, { 'content-type': 'application/json' })
      answer(response)
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  context.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const influx = new InfluxDB({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
  const bucket = { influx, name: 'city', writePath: '', queryPath: '/query?db=city' }
  return Array.fromAsync(streamInflux(bucket, { q: 'SELECT * FROM bin', silenceMs }))
}
