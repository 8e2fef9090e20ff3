import { AppError } from '@pulso/model'
import mqtt, { type IClientOptions } from 'mqtt'
import type { Logger } from 'pino'

export interface PublisherOptions {
  /** `mqtt://host:port` or `mqtts://…`. */
  mqttUrl: string
  username: string
  password: string
  logger: Logger
  /** After so many connections in a row that the broker closed with nothing acknowledged, publishing is given up. */
  maxFruitlessConnections?: number
}

/** A QoS 1 publisher that reconnects by itself. What it has not had acknowledged it sends again. */
export interface Publisher {
  /**
   * Waits for the first connection; a broker that is not there yet is waited for.
   * @throws AppError `mqtt-refused` when the broker refuses the credential
   */
  connect(signal: AbortSignal): Promise<void>
  /**
   * Resolves at the PUBACK. Callers bound how many they have under way.
   * @throws AppError `mqtt-closed` after `close`, `mqtt-publish-refused` when the broker keeps closing the door
   */
  publish(topic: string, payload: unknown): Promise<void>
  /** Ends within about `graceMs`, giving what is under way that long to be acknowledged. */
  close(graceMs: number): Promise<void>
}

const RECONNECT_MS = 1_000
const CONNECT_TIMEOUT_MS = 10_000
const KEEP_ALIVE_SECONDS = 30

export function createPublisher(options: PublisherOptions): Publisher {
  const { logger, maxFruitlessConnections = Infinity } = options
  const client = mqtt.connect(options.mqttUrl, toClientOptions(options))
  const underWay = new Set<(error: AppError) => void>()
  const whenIdle = new Set<() => void>()
  let refusal: AppError | undefined
  let isOnline = false
  let isClosing = false
  let fruitless = 0

  const giveUp = (error: AppError): void => {
    refusal = error
    client.end(true)
    for (const reject of underWay) reject(error)
    underWay.clear()
  }
  // Not 'connect': the client says that only after it has sent again what was left, which a broker may answer by closing.
  client.on('packetreceive', (packet) => {
    if (packet.cmd !== 'connack' || packet.returnCode !== 0) return
    isOnline = true
    logger.info({ url: options.mqttUrl }, 'connected to the broker')
  })
  client.on('close', () => {
    if (isClosing || !isOnline) return
    isOnline = false
    fruitless += 1
    logger.warn({ underWay: underWay.size }, 'the broker closed the connection; connecting again')
    if (underWay.size > 0 && fruitless >= maxFruitlessConnections) giveUp(refusedPublishing(options))
  })
  client.on('error', (error) => {
    // An unreachable broker is tried again every second: worth a line, not a failure.
    if ('code' in error && typeof error.code === 'number') {
      if (!client.options.reconnectOnConnackError) giveUp(refusedConnection(options, error))
    } else if (!isClosing) logger.debug({ err: error }, 'no connection to the broker')
  })

  return {
    async connect(signal) {
      logger.debug({ url: options.mqttUrl }, 'connecting')
      while (!client.connected) {
        if (refusal) throw refusal
        signal.throwIfAborted()
        await nextChange(client, signal)
      }
      // From here on a refusal is a broker that is being reconfigured, not a wrong password.
      client.options.reconnectOnConnackError = true
    },
    publish(topic, payload) {
      if (refusal) return Promise.reject(refusal)
      if (isClosing) return Promise.reject(closed())
      return new Promise((resolve, reject) => {
        underWay.add(reject)
        client.publish(topic, JSON.stringify(payload), { qos: 1 }, (error) => {
          underWay.delete(reject)
          if (underWay.size === 0) for (const resolveIdle of whenIdle) resolveIdle()
          if (error) {
            reject(refusal ?? closed(error))
            return
          }
          fruitless = 0
          resolve()
        })
      })
    },
    async close(graceMs) {
      isClosing = true
      if (underWay.size > 0 && client.connected) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, graceMs)
          whenIdle.add(() => {
            clearTimeout(timer)
            resolve()
          })
        })
      }
      // Without force the client would wait for acknowledgements that may never come.
      const mustForce = underWay.size > 0 || !client.connected
      for (const reject of underWay) reject(closed())
      underWay.clear()
      await client.endAsync(mustForce)
    },
  }
}

function toClientOptions({ username, password }: PublisherOptions): IClientOptions {
  return {
    username,
    password,
    reconnectPeriod: RECONNECT_MS,
    connectTimeout: CONNECT_TIMEOUT_MS,
    keepalive: KEEP_ALIVE_SECONDS,
    clean: true,
  }
}

/** The client connected, was refused, or the caller lost patience. */
function nextChange(client: mqtt.MqttClient, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      client.off('connect', done)
      client.off('error', done)
      client.off('close', done)
      signal.removeEventListener('abort', done)
      resolve()
    }
    client.on('connect', done)
    client.on('error', done)
    client.on('close', done)
    signal.addEventListener('abort', done)
  })
}

function closed(cause?: unknown): AppError {
  return new AppError(
    'mqtt-closed',
    'The connection to the broker was closed before the message was acknowledged',
    {
      cause,
      retryable: true,
    },
  )
}

function refusedConnection({ mqttUrl, username }: PublisherOptions, cause: Error): AppError {
  return new AppError('mqtt-refused', `The broker at ${mqttUrl} refuses '${username}': ${cause.message}`, {
    cause,
  })
}

function refusedPublishing({ mqttUrl, username }: PublisherOptions): AppError {
  return new AppError(
    'mqtt-publish-refused',
    `The broker at ${mqttUrl} closes the connection whenever '${username}' publishes: ` +
      `may this credential publish for these sensor ids? A gateway's prefix must cover them all`,
  )
}
