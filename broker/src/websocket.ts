import { createServer, STATUS_CODES, type IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { createWebSocketStream, WebSocketServer } from 'ws'
import type { CalmLog } from './calm-log.ts'
import type { Arrival } from './connections.ts'
import type { Ticket } from './gate.ts'
import type { BrokerMetrics } from './metrics.ts'
import type { Entrance } from './tls.ts'

export interface WebSocketEntranceOptions {
  /** The largest message; the guard then looks at the packets in it. */
  maxMessageBytes: number
  accept: (arrival: Arrival) => void
  metrics: BrokerMetrics
  log: CalmLog
}

const PATH = '/mqtt'
const SUBPROTOCOL = 'mqtt'
const MAX_HEADER_BYTES = 8_192
/** A message in more pieces is refused: each costs more than its bytes. `@types/ws` does not know these options yet. */
const PIECES = { maxFragments: 1_024, maxBufferedChunks: 4_096 }

/** MQTT over WebSocket (MQTT 3.1.1, 6): path `/mqtt`, subprotocol `mqtt`, binary messages. */
export function createWebSocketEntrance(options: WebSocketEntranceOptions): Entrance {
  const { metrics, log } = options
  const tickets = new WeakMap<Duplex, Ticket>()
  const webSockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: options.maxMessageBytes,
    ...PIECES,
    handleProtocols: () => SUBPROTOCOL,
  })

  const refuse = (ticket: Ticket, detail: string): void => {
    metrics.connectionRefused('websocket')
    log.warn('WebSocket refused', { reason: 'websocket', address: ticket.address, detail })
  }

  const server = createServer({ maxHeaderSize: MAX_HEADER_BYTES }, (request, response) => {
    const ticket = tickets.get(request.socket)
    if (ticket) refuse(ticket, 'no upgrade')
    response.writeHead(426, { connection: 'close', upgrade: 'websocket' }).end()
  })
  server.on('clientError', (error, socket) => {
    const ticket = tickets.get(socket)
    if (ticket && !socket.destroyed) refuse(ticket, error.message)
    socket.destroy()
  })
  server.on('upgrade', (request, socket, head) => {
    const ticket = tickets.get(socket)
    if (!ticket) {
      socket.destroy()
      return
    }
    const status = judge(request)
    if (status !== undefined) {
      refuse(ticket, `${status}`)
      socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\nConnection: close\r\n\r\n`)
      return
    }
    webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      const stream = createWebSocketStream(webSocket, {
        // One message for what was written at once: a packet comes in several pieces.
        writev: (pieces, done) =>
          webSocket.send(Buffer.concat(pieces.map(({ chunk }) => chunk as Buffer)), done),
      })
      webSocket.on('message', (_, isBinary) => {
        // MQTT 3.1.1, 6: binary only. What the stream has taken of it is not read any more.
        if (!isBinary) stream.destroy(new Error('a WebSocket message is text'))
      })
      // By itself it would wait for the other's answer to the closing.
      webSocket.once('error', () => webSocket.terminate())
      // The stream itself would wait for someone to read it to its end, and a sender that is held back is not read.
      ticket.socket.once('close', () => setImmediate(() => stream.destroy()))
      options.accept({ stream, ticket, certificateName: undefined })
    })
  })

  return (ticket) => {
    tickets.set(ticket.socket, ticket)
    server.emit('connection', ticket.socket)
  }
}

/** The status to refuse an upgrade with. */
function judge({ url = '', headers }: IncomingMessage): 400 | 404 | undefined {
  if (url.split('?', 1)[0] !== PATH) return 404
  const offered = headers['sec-websocket-protocol']?.split(',').map((name) => name.trim())
  return offered?.includes(SUBPROTOCOL) ? undefined : 400
}
