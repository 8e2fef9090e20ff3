import { randomBytes as nodeRandomBytes } from 'node:crypto'
import { AppError, messageOf, type SensorState } from '@pulso/model'
import type { ApiContext } from './context.ts'
import { createCurrentState } from './current/current-state.ts'
import { createCurrentLoader } from './current/loader.ts'
import { createReadyChecks } from './health.ts'
import type { App } from './http/app.ts'
import { createServer } from './http/server.ts'
import { DEFAULT_LIMITS } from './limits.ts'
import { createBeat } from './live/beat.ts'
import { createLiveFeed } from './live/feed.ts'
import { createApiMetrics, observeQuarantine } from './metrics.ts'
import { createSessions } from './operators/sessions.ts'
import type { ApiOptions } from './options.ts'
import { createForecasts } from './places/forecasts.ts'
import { createPlaces } from './places/places.ts'
import { addRoutes } from './routes/all.ts'
import { createExamples } from './routes/examples.ts'

export interface Api {
  /** Reads the city's present from the registry and builds the routes. May begin long before `start`, which ends it. */
  prepare(): Promise<void>
  /**
   * Listens, as soon as everything is prepared.
   * @throws AppError `port-in-use`, `listen-failed`
   */
  start(): Promise<{ port: number; address: string }>
  /** Ends every connection at once and waits until nothing of it runs any more. */
  stop(): Promise<void>
  /** Absolute states, as ingest has committed them. */
  applyStates(states: readonly SensorState[]): void
  /** The Fastify instance, for tests that need no socket. */
  readonly app: App
}

/** The HTTP interface: the city's present in memory, history from the stores, the live feed, operators, the web app. */
export function createApi(options: ApiOptions): Api {
  const { registry, clock, logger, randomBytes = nodeRandomBytes } = options
  const limits = { ...DEFAULT_LIMITS, ...options.limits }
  const metrics = createApiMetrics(options.metrics)
  observeQuarantine(options.metrics, options.registry)
  const current = createCurrentState({ zones: options.city.zones, kinds: options.kinds, clock })
  const loader = createCurrentLoader({ registry, current, pollMs: limits.sensorsPollMs, logger })
  const runId = randomBytes(6).toString('base64url')
  const feed = createLiveFeed({ current, clock, limits, metrics, runId })
  const sessions = createSessions({ registry, clock, limits, metrics, randomBytes })
  const places = createPlaces({ city: options.city, current, clock })
  const { timeZone } = options.city
  const forecasts = createForecasts({
    places,
    aggregates: options.aggregates,
    timeZone,
    clock,
    logger,
    pace: limits.forecastPace,
  })
  const checks = createReadyChecks(options.checks, limits.checkMs)
  const app = createServer({ options, limits, metrics })
  const context: ApiContext = {
    options,
    limits,
    current,
    feed,
    metrics,
    sessions,
    places,
    forecasts,
    checks,
    startedAtMs: clock.now(),
    examples: createExamples(options),
  }
  addRoutes(app, context)
  const timers: NodeJS.Timeout[] = []
  const beat = createBeat({
    everyMs: limits.liveTickMs,
    action() {
      current.sweep()
      feed.tick()
    },
  })
  let preparing: Promise<void> | undefined

  const prepare = async (): Promise<void> => {
    await loader.start()
    // What was there before the first reader is no change.
    feed.tick()
    await app.ready()
  }

  const startTimers = (): void => {
    beat.start()
    places.sample()
    forecasts.start()
    timers.push(
      setInterval(() => places.sample(), limits.placesSampleMs),
      setInterval(() => feed.heartbeat(), limits.liveHeartbeatMs),
      setInterval(() => {
        sessions.removeExpired().catch((error: unknown) => {
          logger.error({ err: error }, 'expired sessions could not be removed')
        })
      }, limits.sessionSweepMs),
    )
  }

  return {
    app,
    prepare: () => (preparing ??= prepare()),
    async start() {
      await (preparing ??= prepare())
      try {
        await app.listen({ host: options.host, port: options.port })
      } catch (error) {
        await loader.stop()
        throw toListenError(error, options)
      }
      startTimers()
      const address = app.server.address()
      const port = address && typeof address === 'object' ? address.port : options.port
      return { port, address: `http://${toUrlHost(options.host)}:${port}` }
    },
    async stop() {
      beat.stop()
      for (const timer of timers.splice(0)) clearInterval(timer)
      feed.stop()
      await Promise.all([loader.stop(), forecasts.stop(), app.close()])
    },
    applyStates(states) {
      const { waiting, dropped } = current.applyStates(states)
      if (dropped > 0) metrics.statesDropped.inc(dropped)
      if (waiting > 0) loader.pollSoon()
    },
  }
}

function toListenError(error: unknown, { host, port }: ApiOptions): AppError {
  const at = `${host}:${port}`
  if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')
    return new AppError('port-in-use', `Another program listens on ${at} already`, { cause: error })
  return new AppError('listen-failed', `Cannot listen on ${at}: ${messageOf(error)}`, { cause: error })
}

function toUrlHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host
}
