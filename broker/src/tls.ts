import { constants } from 'node:crypto'
import type { Socket } from 'node:net'
import { createServer, type TLSSocket } from 'node:tls'
import { messageOf } from '@pulso/model'
import type { CalmLog } from './calm-log.ts'
import type { Arrival } from './connections.ts'
import type { Ticket } from './gate.ts'
import type { BrokerMetrics } from './metrics.ts'
import { readTlsFiles, type TlsFiles } from './tls-files.ts'

export interface TlsOptions extends TlsFiles {
  port: number
  /** Whether a client without a verified certificate may come in with a secret. Only with `caFile`. */
  clients: 'optional' | 'required'
}

/** Makes a stream of MQTT of a socket that the gate has let in. */
export type Entrance = (ticket: Ticket) => void

export interface TlsEntranceOptions extends TlsFiles, Pick<TlsOptions, 'clients'> {
  handshakeTimeoutMs: number
  accept: (arrival: Arrival) => void
  metrics: BrokerMetrics
  log: CalmLog
}

/** MQTT over TLS, 1.2 or later. @throws AppError `invalid-tls-files` */
export async function createTlsEntrance(options: TlsEntranceOptions): Promise<Entrance> {
  const { caFile, clients, metrics, log } = options
  const asksForCertificate = caFile !== null
  const server = createServer({
    ...(await readTlsFiles(options)),
    minVersion: 'TLSv1.2',
    handshakeTimeout: options.handshakeTimeoutMs,
    requestCert: asksForCertificate,
    // Looked at below: here a refusal would come without a word, and a resumed session counts as verified.
    rejectUnauthorized: false,
    // A resumed session brings no certificate to verify.
    secureOptions: asksForCertificate ? constants.SSL_OP_NO_TICKET : 0,
  })
  /** The sockets in their handshake, by the other end: the secure socket does not tell what it was made of. */
  const arriving = new Map<string, Ticket>()

  const refuse = (reason: string, ticket: Ticket | undefined, detail: string): void => {
    metrics.connectionRefused(reason)
    log.warn('TLS connection refused', { reason, address: ticket?.address, detail })
  }

  server.on('secureConnection', (socket) => {
    const ticket = arriving.get(peerOf(socket))
    if (!ticket) {
      socket.destroy()
      return
    }
    const certificateName = toCertificateName(socket)
    if (clients === 'required' && certificateName === undefined) {
      const detail = socket.authorized ? 'the certificate has no name' : messageOf(socket.authorizationError)
      refuse('client-certificate', ticket, detail)
      socket.destroy()
      return
    }
    options.accept({ stream: socket, ticket, certificateName })
  })
  server.on('tlsClientError', (error, socket) => {
    const ticket = arriving.get(peerOf(socket))
    // The gate has closed it and said why.
    if (ticket?.socket.destroyed === false) refuse('tls', ticket, error.message)
    socket.destroy()
  })

  return (ticket) => {
    const peer = peerOf(ticket.socket)
    arriving.set(peer, ticket)
    ticket.socket.once('close', () => {
      if (arriving.get(peer) === ticket) arriving.delete(peer)
    })
    server.emit('connection', ticket.socket)
  }
}

function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress ?? ''} ${remotePort ?? ''}`
}

/** The name in a certificate that was verified in this handshake. */
function toCertificateName(socket: TLSSocket): string | undefined {
  if (!socket.authorized) return undefined
  // Without a certificate there is no subject, and with several names it is a list.
  const certificate: { subject?: { CN?: unknown } } = socket.getPeerCertificate()
  const name = certificate.subject?.CN
  return typeof name === 'string' && name !== '' ? name : undefined
}
