import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect as connectTcp, type Socket } from 'node:net'
import { describe, test, type TestContext } from 'node:test'
import { createWebSocketStream, WebSocket, type ClientOptions } from 'ws'
import { waitFor } from '../../test/support/wait.ts'
import {
  connectPacket,
  deviceOn,
  lengthBytes,
  packet,
  pingPacket,
  publishPacket,
  type Device,
} from './support/device.ts'
import { openDoor, SECRET, type Door, type DoorOptions } from './support/door.ts'

const TOPIC = 'pulso/parking/bay/telemetry'
const REFUSED = 'pulso_connections_refused_total'
const CONNECT = connectPacket({ username: 'bay', password: SECRET })

interface WebSocketDoor extends Door {
  url: string
  webSocket(options?: ClientOptions, url?: string, protocols?: string[]): WebSocket
  /** A raw socket to the WebSocket port. */
  raw(): Promise<Socket>
}

async function openWebSocketDoor(context: TestContext, options: DoorOptions = {}): Promise<WebSocketDoor> {
  const door = await openDoor(context, { ...options, webSocketPort: 0 })
  const port = door.ports.webSocketPort ?? 0
  const url = `ws://127.0.0.1:${port}/mqtt`
  return {
    ...door,
    url,
    webSocket(clientOptions, at = url, protocols = ['mqtt']) {
      const webSocket = new WebSocket(at, protocols, clientOptions)
      door.closing(() => webSocket.terminate())
      webSocket.on('error', () => undefined)
      return webSocket
    },
    async raw() {
      const socket = connectTcp(port, '127.0.0.1')
      door.closing(() => socket.destroy())
      socket.on('error', () => undefined)
      await once(socket, 'connect')
      return socket
    },
  }
}

async function opened(
  door: WebSocketDoor,
  options?: ClientOptions,
): Promise<{ webSocket: WebSocket; device: Device }> {
  const webSocket = door.webSocket(options)
  const stream = createWebSocketStream(webSocket)
  // By itself it would stay open for writing.
  webSocket.once('close', () => stream.destroy())
  const device = deviceOn(stream)
  await once(webSocket, 'open')
  return { webSocket, device }
}

async function refusedOnce(door: Door, reason: string): Promise<void> {
  await waitFor(async () => (await door.count(`${REFUSED}{reason="${reason}"}`)) === 1, {
    what: `one connection to be refused for ${reason}`,
  })
}

/** The status that an upgrade is refused with. */
async function statusOf(webSocket: WebSocket): Promise<number | undefined> {
  const [, response] = (await once(webSocket, 'unexpected-response')) as [unknown, { statusCode?: number }]
  return response.statusCode
}

describe('MQTT over WebSocket', () => {
  test('takes what MQTT.js sends, and keeps it', async (context) => {
    const door = await openWebSocketDoor(context)
    const client = await door.client('bay', {
      protocol: 'ws',
      port: door.ports.webSocketPort ?? 0,
      path: '/mqtt',
    })
    await client.publishAsync(TOPIC, '{"status":"free"}', { qos: 1 })
    const [kept] = await door.kept(1)
    assert.deepEqual([kept?.topic, kept?.credential], [TOPIC, 'bay'])
  })

  test('is off unless it is asked for', async (context) => {
    const door = await openDoor(context)
    assert.deepEqual([door.ports.webSocketPort, door.ports.tlsPort], [null, null])
  })

  test('is found at /mqtt, under the subprotocol mqtt alone', async (context) => {
    const door = await openWebSocketDoor(context)
    assert.equal(await statusOf(door.webSocket({}, door.url.replace('/mqtt', '/'))), 404)
    assert.equal(await statusOf(door.webSocket({}, door.url, [])), 400)
    assert.equal(await statusOf(door.webSocket({}, door.url, ['soap'])), 400)
    const { status } = await fetch(door.url.replace('ws:', 'http:'))
    assert.equal(status, 426)
    assert.equal(await door.count(`${REFUSED}{reason="websocket"}`), 4)
    const both = door.webSocket({}, door.url, ['soap', 'mqtt'])
    await once(both, 'open')
    assert.equal(both.protocol, 'mqtt')
  })

  test('compresses nothing, so that a small message cannot become a large one', async (context) => {
    const door = await openWebSocketDoor(context)
    const { webSocket } = await opened(door, { perMessageDeflate: true })
    assert.equal(webSocket.extensions, '')
  })

  test('understands packets however they are cut into messages', async (context) => {
    const door = await openWebSocketDoor(context)
    const { webSocket, device } = await opened(door)
    const stream = Buffer.concat([
      CONNECT,
      ...Array.from({ length: 20 }, (_, index) => publishPacket({ topic: TOPIC, id: index + 1 })),
    ])
    for (let start = 0; start < stream.length; start += 7) webSocket.send(stream.subarray(start, start + 7))
    for (let id = 1; id <= 20; id++) assert.equal((await device.next('puback')).readUInt16BE(0), id)
  })

  test('takes binary messages only', async (context) => {
    const door = await openWebSocketDoor(context)
    const { webSocket, device } = await opened(door)
    webSocket.send(CONNECT.toString('latin1'))
    await device.closed()
    assert.equal(device.pending('connack'), 0)
    await refusedOnce(door, 'protocol')
  })
})

describe('the guard on a WebSocket', () => {
  test('refuses 200 MB announced before CONNECT, by MQTT and by WebSocket', async (context) => {
    const door = await openWebSocketDoor(context)
    const { device } = await opened(door)
    device.send(Buffer.concat([Buffer.of(0x10), lengthBytes(200 * 1_048_576)]))
    await device.closed()
    assert.equal(await door.count(`${REFUSED}{reason="packet-too-large"}`), 1)

    const { webSocket, device: other } = await opened(door)
    webSocket.send(Buffer.alloc(200_000, CONNECT))
    await other.closed()
    await refusedOnce(door, 'protocol')
  })

  test('refuses a message in thousands of pieces', async (context) => {
    const door = await openWebSocketDoor(context)
    const { webSocket, device } = await opened(door)
    for (let piece = 0; piece < 1_100; piece++) webSocket.send(Buffer.of(0x10), { fin: false })
    await device.closed()
    await refusedOnce(door, 'protocol')
  })

  test('lets a first packet of more than 1 KiB not in, but what follows a small one', async (context) => {
    const door = await openWebSocketDoor(context)
    const { device: large } = await opened(door)
    large.send(packet(0x10, Buffer.alloc(1_025)))
    await large.closed()
    const { device } = await opened(door)
    device.send(CONNECT, publishPacket({ topic: TOPIC, payload: 'x'.repeat(3_000) }))
    await device.next('puback')
  })

  test('counts the handshake as half-open, and ends it when it does not go on', async (context) => {
    const door = await openWebSocketDoor(context, { limits: { connectTimeoutMs: 200 } })
    const silent = await door.raw()
    const slow = await door.raw()
    slow.write('GET /mqtt HTTP/1.1\r\nHost: ')
    const { device: idle } = await opened(door)
    assert.equal(await door.count('pulso_connections_half_open'), 3)
    await Promise.all([once(silent, 'close'), once(slow, 'close'), idle.closed()])
    assert.equal(await door.count(`${REFUSED}{reason="connect-timeout"}`), 3)
    assert.equal(await door.count('pulso_connections_half_open'), 0)
  })

  test('sends a header without end away', async (context) => {
    const door = await openWebSocketDoor(context)
    const socket = await door.raw()
    socket.resume()
    socket.write(`GET /mqtt HTTP/1.1\r\nX: ${'x'.repeat(20_000)}`)
    await once(socket, 'close')
    assert.equal(await door.count(`${REFUSED}{reason="websocket"}`), 1)
  })

  test('holds it to its rate, and answers its pings afterwards', async (context) => {
    const door = await openWebSocketDoor(context, { limits: { messagesPerSecond: 20 } })
    const { device } = await opened(door)
    device.send(CONNECT)
    // The CONNECT was not counted; the burst is ten seconds' worth.
    const messages = Array.from({ length: 220 }, (_, index) => publishPacket({ topic: TOPIC, id: index + 1 }))
    device.send(...messages, pingPacket())
    await device.next('pingresp')
    assert.equal((await door.kept(220)).length, 220)
    assert.ok((await door.count('pulso_held_back_total{reason="message-rate"}')) > 0)
  })
})

test('a revoked credential’s WebSocket is closed at once', async (context) => {
  const door = await openWebSocketDoor(context)
  const { device } = await opened(door)
  device.send(CONNECT)
  await device.next('connack')
  assert.equal(door.broker.disconnect('bay'), 1)
  await device.closed()
  await waitFor(() => door.broker.connections() === 0, { what: 'the connection to end' })
})
