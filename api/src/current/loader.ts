import { toAppError } from '@pulso/model'
import type { Registry } from '@pulso/stores'
import type { Logger } from 'pino'
import type { CurrentState } from './current-state.ts'

export interface CurrentLoaderOptions {
  registry: Pick<Registry, 'sensorsSince' | 'listStates'>
  current: CurrentState
  pollMs: number
  logger: Logger
}

export interface CurrentLoader {
  /** Reads all sensors and their states, then keeps asking for new and moved sensors. */
  start(): Promise<void>
  /** Asks without waiting for the next turn: a state came of a sensor that nobody has told us of. */
  pollSoon(): void
  stop(): Promise<void>
}

export function createCurrentLoader({
  registry,
  current,
  pollMs,
  logger,
}: CurrentLoaderOptions): CurrentLoader {
  let revision = 0
  let timer: NodeJS.Timeout | undefined
  let running: Promise<void> | undefined
  let isFailing = false

  const report = (unknown: readonly string[]): void => {
    if (unknown.length > 0)
      logger.warn({ sensors: unknown.slice(0, 20), count: unknown.length }, 'sensors of an unknown kind')
  }

  const readSensors = async (): Promise<void> => {
    const answer = await registry.sensorsSince(revision)
    report(current.putSensors(answer.sensors))
    revision = answer.revision
  }

  const poll = (): void => {
    running ??= readSensors()
      .then(
        () => {
          if (isFailing) logger.info('the registry answers again')
          isFailing = false
        },
        (error: unknown) => {
          // Once an outage, not once a second.
          if (!isFailing) logger.error({ err: toAppError(error) }, 'the registry does not give its sensors')
          isFailing = true
        },
      )
      .finally(() => {
        running = undefined
      })
  }

  return {
    async start() {
      const { revision: newest, sensors } = await registry.sensorsSince(0)
      report(current.load(sensors, await registry.listStates()))
      revision = newest
      timer = setInterval(poll, pollMs)
    },
    pollSoon() {
      if (timer) poll()
    },
    async stop() {
      clearInterval(timer)
      timer = undefined
      await running
    },
  }
}
