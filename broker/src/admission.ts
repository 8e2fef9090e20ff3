import { AppError, SECOND_MS, toAppError, type Clock } from '@pulso/model'
import { hashSecret, type CredentialsRegistry } from '@pulso/stores'
import type { AedesOptions, Client, ConnectPacket } from 'aedes'
import { clip, type CalmLog } from './calm-log.ts'
import type { Connection, Connections, ConnectRequest } from './connections.ts'
import { identify, type Claim, type Findings } from './identify.ts'
import type { BrokerLimits } from './limits.ts'
import type { BrokerMetrics } from './metrics.ts'
import { refusePublish, refuseTopic } from './permissions.ts'
import type { ReceivedIdsStore } from './received-ids.ts'

export interface AdmissionOptions {
  credentials: CredentialsRegistry
  connections: Connections
  receivedIds: ReceivedIdsStore
  limits: BrokerLimits
  clock: Clock
  metrics: BrokerMetrics
  log: CalmLog
  /** How many credentials have been thrown out so far. */
  revocations: () => number
  /** The secret that it came in with counts until then. */
  onOverlap: (connection: Connection, untilMs: number) => void
}

/** MQTT 3.1.1, 3.2.2.3. */
const RETURN_CODES = {
  'client-id-too-long': 2,
  'registry-unavailable': 3,
  'bad-credentials': 4,
  'will-not-allowed': 5,
} as const
type AdmissionRefusal = keyof typeof RETURN_CODES
const SERVER_UNAVAILABLE = 3

/** CONNECT: who may come in. Gives Aedes' `preConnect` and `authenticate`. */
export function createAdmission(options: AdmissionOptions) {
  const { connections, receivedIds, limits, metrics, log, clock, revocations } = options

  const refusal = (
    connection: Connection | undefined,
    reason: AdmissionRefusal,
    fields: object,
  ): AppError => {
    metrics.connectionRefused(reason)
    log.warn('Connection refused', { reason, address: connection?.address, ...fields })
    return new AppError(reason, reason)
  }

  /** Looks again when someone was thrown out meanwhile: it may have been this one. */
  const find = async (claim: Claim): Promise<Findings> => {
    for (;;) {
      const before = revocations()
      const findings = await identify(options.credentials, claim, clock.now())
      if (before === revocations()) return findings
    }
  }

  const admit = async (client: Client, username: string, password: Uint8Array): Promise<void> => {
    const connection = connections.of(client)
    const request = connection?.request
    // The socket has gone in the meantime.
    if (!connection || !request) throw new AppError('connection-gone', 'The connection has ended')
    if (request.clientIdLength > limits.clientIdLength) {
      throw refusal(connection, 'client-id-too-long', { length: request.clientIdLength })
    }
    const { certificateName } = connection
    const { identity, meant } = await find({ username, password, certificateName }).catch(
      (thrown: unknown) => {
        const { code, message } = toAppError(thrown)
        throw refusal(connection, 'registry-unavailable', { code, detail: message })
      },
    )
    if (!identity) throw refusal(connection, 'bad-credentials', meant)
    const { credential, untilMs } = identity
    const { scope } = credential
    const { willTopic } = request
    if (willTopic !== undefined && (refuseTopic(willTopic, limits) ?? refusePublish(scope, willTopic))) {
      throw refusal(connection, 'will-not-allowed', { ...meant, topic: clip(willTopic) })
    }
    connection.session = {
      username: credential.username,
      scope,
      clean: request.clean,
      receivedIds: receivedIds.open(client.id, request.clean),
      subscriptions: new Set(),
      allowedTopic: undefined,
      allowedBytes: undefined,
      keptTopic: '',
    }
    if (untilMs !== undefined) options.onOverlap(connection, untilMs)
  }

  return {
    preConnect(client, packet, done) {
      const connection = connections.of(client)
      if (connection) {
        connection.client = client
        connection.request = toRequest(packet, limits)
        boundSession(packet, connection)
      }
      done(null, true)
    },
    // eslint-disable-next-line max-params -- Aedes' signature
    authenticate(client, username, password, done) {
      admit(client, username ?? '', password ?? new Uint8Array()).then(
        () => done(null, true),
        (thrown: unknown) => done(toRefused(thrown), false),
      )
    },
  } satisfies AedesOptions
}

/** With the code that Aedes puts into the CONNACK. */
function toRefused(thrown: unknown): AppError & { returnCode: number } {
  const error = toAppError(thrown)
  const known = new Map<string, number>(Object.entries(RETURN_CODES))
  return Object.assign(error, { returnCode: known.get(error.code) ?? SERVER_UNAVAILABLE })
}

function toRequest(
  { clientId, clean, will, keepalive = 0 }: ConnectPacket,
  limits: BrokerLimits,
): ConnectRequest {
  const asked = keepalive === 0 ? Infinity : keepalive * SECOND_MS
  return {
    clientIdLength: clientId.length,
    keepaliveMs: Math.min(asked, limits.keepaliveMs),
    clean: clean ?? true,
    willTopic: will?.topic,
  }
}

/** Rewrites what a client may ask for into what it gets. */
function boundSession(packet: ConnectPacket, { certificateName }: Connection): void {
  // Client ids are free within a credential; without this, one device could throw out another by using its id. The
  // name is hashed because it may be a token.
  const name = packet.username === undefined || packet.username === '' ? certificateName : packet.username
  if (packet.clientId !== '') packet.clientId = `${hashSecret(name ?? '').slice(0, 32)}/${packet.clientId}`
  // Sessions end with their connection, see createSessionStore.
  packet.clean = true
  // Aedes sets no timer then; who is silent is seen in keepalive.ts.
  packet.keepalive = 0
}
