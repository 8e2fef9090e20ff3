import { AppError, toAppError } from '@pulso/model'
import { equalHashes, hashSecret, type Credential, type CredentialsRegistry } from '@pulso/stores'
import type { AedesOptions, Client, ConnectPacket } from 'aedes'
import type { CalmLog } from './calm-log.ts'
import type { Connection, Connections, ConnectRequest } from './connections.ts'
import type { BrokerLimits } from './limits.ts'
import type { BrokerMetrics } from './metrics.ts'
import { refusePublish } from './permissions.ts'
import type { ReceivedIdsStore } from './received-ids.ts'

export interface AdmissionOptions {
  credentials: CredentialsRegistry
  connections: Connections
  receivedIds: ReceivedIdsStore
  limits: BrokerLimits
  metrics: BrokerMetrics
  log: CalmLog
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

/** Compared with when nobody has the name, so that the answer takes as long as for a wrong secret. */
const NOBODYS_HASH = hashSecret('')

/** CONNECT: who may come in. Gives Aedes' `preConnect` and `authenticate`. */
export function createAdmission(options: AdmissionOptions) {
  const { connections, receivedIds, limits, metrics, log } = options

  const refusal = (
    connection: Connection | undefined,
    reason: AdmissionRefusal,
    fields: object,
  ): AppError => {
    metrics.connectionRefused(reason)
    log.warn('Connection refused', { reason, address: connection?.address, ...fields })
    return new AppError(reason, reason)
  }

  const admit = async (
    client: Client,
    { username, password }: { username: string; password: Uint8Array },
  ): Promise<void> => {
    const connection = connections.of(client)
    const request = connection?.request
    // The socket has gone in the meantime.
    if (!connection || !request) throw new AppError('connection-gone', 'The connection has ended')
    if (request.clientIdLength > limits.clientIdLength) {
      throw refusal(connection, 'client-id-too-long', { username, length: request.clientIdLength })
    }
    const credential = await findCredential(options.credentials, username).catch((thrown: unknown) => {
      const { code, message } = toAppError(thrown)
      throw refusal(connection, 'registry-unavailable', { username, code, detail: message })
    })
    const matches = equalHashes(hashSecret(password), credential?.secretHash ?? NOBODYS_HASH)
    if (!credential || !matches) throw refusal(connection, 'bad-credentials', { username })
    const { scope } = credential
    if (request.willTopic !== undefined && refusePublish(scope, request.willTopic)) {
      throw refusal(connection, 'will-not-allowed', { username, topic: request.willTopic })
    }
    connection.session = {
      username: credential.username,
      scope,
      clean: request.clean,
      receivedIds: receivedIds.open(client.id, request.clean),
      subscriptions: new Set(),
      allowedTopic: undefined,
    }
  }

  return {
    preConnect(client, packet, done) {
      const connection = connections.of(client)
      if (connection) {
        connection.client = client
        connection.request = toRequest(packet)
        boundSession(packet, limits)
      }
      done(null, true)
    },
    // eslint-disable-next-line max-params -- Aedes' signature
    authenticate(client, username, password, done) {
      admit(client, { username: username ?? '', password: password ?? new Uint8Array() }).then(
        () => done(null, true),
        (thrown: unknown) => done(toRefused(thrown), false),
      )
    },
  } satisfies AedesOptions
}

async function findCredential(
  credentials: CredentialsRegistry,
  username: string,
): Promise<Credential | undefined> {
  return username === '' ? undefined : credentials.findCredential(username)
}

/** With the code that Aedes puts into the CONNACK. */
function toRefused(thrown: unknown): AppError & { returnCode: number } {
  const error = toAppError(thrown)
  const known = new Map<string, number>(Object.entries(RETURN_CODES))
  return Object.assign(error, { returnCode: known.get(error.code) ?? SERVER_UNAVAILABLE })
}

function toRequest({ clientId, clean, will }: ConnectPacket): ConnectRequest {
  return { clientIdLength: clientId.length, clean: clean ?? true, willTopic: will?.topic }
}

/** Rewrites what a client may ask for into what it gets. */
function boundSession(packet: ConnectPacket, limits: BrokerLimits): void {
  // Client ids are free within a credential; without this, one device could throw out another by using its id.
  if (packet.clientId !== '') packet.clientId = `${packet.username ?? ''}/${packet.clientId}`
  // Sessions end with their connection, see createSessionStore.
  packet.clean = true
  const asked = packet.keepalive ?? 0
  packet.keepalive = asked === 0 ? limits.keepaliveSeconds : Math.min(asked, limits.keepaliveSeconds)
}
