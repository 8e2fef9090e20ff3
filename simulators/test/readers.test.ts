import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { openReaders } from '../src/index.ts'

interface Server {
  port: number
  sockets: Socket[]
}

/** Answers each request with a head and leaves the rest to the test. */
async function startServer(t: TestContext, answer = 'HTTP/1.1 200 OK\r\n\r\n'): Promise<Server> {
  const sockets: Socket[] = []
  const server = createServer((socket) => {
    sockets.push(socket)
    socket.on('error', () => undefined)
    socket.once('data', () => socket.write(answer))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, sockets }
}

const options = { host: '127.0.0.1', openedPerSecond: 1_000 }

test('readers know when a text has come to each, also in two parts', async (t) => {
  const { port, sockets } = await startServer(t)
  const readers = await openReaders({ ...options, port, paths: ['/a', '/b'] })
  t.after(() => readers.close())
  const arriving = readers.expect('needle', 10_000)
  sockets[0]?.write('hay needle hay')
  sockets[1]?.write('hay nee')
  const [, reader] = sockets
  // The first part is there before the second is sent.
  while ((readers.bytes()[1] ?? 0) < 'HTTP/1.1 200 OK\r\n\r\nhay nee'.length)
    await new Promise((resolve) => setImmediate(resolve))
  reader?.write('dle hay')
  const { atMs, missing } = await arriving
  assert.equal(missing, 0)
  assert.equal(atMs.length, 2)
  assert.ok((atMs[0] ?? 0) <= (atMs[1] ?? 0))
})

test('readers say how many a text did not reach', async (t) => {
  const { port, sockets } = await startServer(t)
  const readers = await openReaders({ ...options, port, paths: ['/a', '/b'] })
  t.after(() => readers.close())
  const arriving = readers.expect('needle', 100)
  sockets[0]?.write('needle')
  assert.equal((await arriving).missing, 1)
})

test('a reader that is refused fails the whole, by the status', async (t) => {
  const { port } = await startServer(t, 'HTTP/1.1 503 Service Unavailable\r\n\r\n')
  await assert.rejects(openReaders({ ...options, port, paths: ['/a'] }), {
    code: 'reader-refused',
    message: /503/,
  })
})

test('a reader that is let go fails what is measured, instead of missing quietly', async (t) => {
  const { port, sockets } = await startServer(t)
  const readers = await openReaders({ ...options, port, paths: ['/a', '/b'] })
  t.after(() => readers.close())
  const arriving = readers.expect('needle', 10_000)
  sockets[1]?.destroy()
  await assert.rejects(arriving, { code: 'reader-failed' })
})
