import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { AppError } from '@pulso/model'
import { createReceiveTimes } from '@pulso/stores'
import { createDeliveries, type Deliveries } from './deliveries.ts'
import { DEFAULT_SOURCE_LIMITS } from './limits.ts'
import type { MqttSourceOptions, SourceStatus } from './options.ts'
import { openSession, type Session } from './session.ts'
import { createSubscriptions, type Subscriptions } from './subscriptions.ts'
import { openWindow, type Window } from './window.ts'

export interface MqttSource {
  /**
   * Begins to connect, and goes on trying by itself for as long as it takes: `status()` says how it is.
   * @throws AppError `source-window-unavailable` when its folder cannot be used
   */
  start(): void
  /** Acknowledges what the journal still keeps in time, and leaves the session with the broker. */
  stop(): Promise<void>
  status(): SourceStatus
}

interface Parts {
  window: Window
  deliveries: Deliveries
  subscriptions: Subscriptions
}

/**
 * A subscriber of a broker that the city already runs: QoS 1 and a session that outlives connections. Messages are
 * acknowledged when the journal has kept them, many at a time and in order; what it cannot keep comes again.
 */
export function createMqttSource(options: MqttSourceOptions): MqttSource {
  const { name, url, clock, journal } = options
  const limits = { ...DEFAULT_SOURCE_LIMITS, ...options.limits }
  const random = options.random ?? Math.random
  const metrics = options.metrics.forSource(name)
  const logger = options.logger.child({ source: name })
  let parts: Parts | undefined
  let session: Session | undefined
  let state: SourceStatus['state'] = 'stopped'
  let lastError: AppError | null = null
  let connectedAtMs: number | null = null
  let failures = 0
  let retryTimer: NodeJS.Timeout | undefined

  const connect = ({ window, deliveries, subscriptions }: Parts): void => {
    state = 'connecting'
    session = openSession({
      settings: options,
      limits,
      deliveries,
      window,
      subscriptions,
      metrics,
      logger,
      onConnected() {
        state = 'connected'
        lastError = null
        connectedAtMs = clock.now()
        logger.info({ url: withoutSecrets(url) }, 'Connected to the broker')
      },
      onClosed: (error) => closed(error),
    })
  }

  const closed = (error: AppError): void => {
    session = undefined
    if (connectedAtMs !== null && clock.now() - connectedAtMs >= limits.stableMs) failures = 0
    connectedAtMs = null
    if (state === 'stopped') return
    state = 'waiting'
    lastError = error
    failures++
    const fullMs = Math.min(limits.retryLongestMs, limits.retryFirstMs * 2 ** Math.min(failures - 1, 30))
    // Less up to a half at random, so that many subscribers do not come back at the same moment.
    const delayMs = Math.round(fullMs * (1 - random() / 2))
    logger.warn({ code: error.code, reason: error.message, failures, delayMs }, 'Not connected to the broker')
    retryTimer = setTimeout(() => {
      if (!parts || state === 'stopped') return
      metrics.reconnected()
      connect(parts)
    }, delayMs)
  }

  const problem = (): SourceStatus['problem'] => {
    if (lastError) return { code: lastError.code, message: lastError.message }
    const refused = parts?.subscriptions.refused() ?? []
    if (state !== 'connected' || refused.length === 0) return null
    return { code: 'source-topics-refused', message: `The broker refuses ${refused.join(', ')}` }
  }

  metrics.watch(() => ({
    isConnected: state === 'connected',
    inFlight: parts?.deliveries.inFlight().messages ?? 0,
    topicsRefused: parts?.subscriptions.refused().length ?? 0,
  }))

  return {
    start() {
      if (parts) return
      const window = openWindow(join(options.folder, `${name}.window`))
      const subscriptions = createSubscriptions({
        file: join(options.folder, `${name}.topics.json`),
        settings: options,
        logger,
      })
      // Packet ids of another session mean nothing.
      if (!subscriptions.isKnown) window.clear()
      const receiveTimes = createReceiveTimes({ clock, untilMs: window.untilMs })
      const credential = `source/${name}`
      const deliveries = createDeliveries({ credential, journal, window, receiveTimes, limits, metrics })
      parts = { window, deliveries, subscriptions }
      connect(parts)
    },
    async stop() {
      if (!parts) return
      const { deliveries, window } = parts
      state = 'stopped'
      clearTimeout(retryTimer)
      session?.hold()
      await Promise.race([deliveries.drained(), sleep(limits.stopMs, undefined, { ref: false })])
      await session?.end()
      session = undefined
      parts = undefined
      window.close()
    },
    status: () => ({
      name,
      url: withoutSecrets(url),
      state,
      problem: problem(),
      connectedAtMs,
      messages: metrics.messages,
      inFlight: parts?.deliveries.inFlight().messages ?? 0,
      topics: parts?.subscriptions.list() ?? [],
    }),
  }
}

function withoutSecrets(url: string): string {
  const { protocol, host } = new URL(url)
  return `${protocol}//${host}`
}
