import { AppError } from '@pulso/model'
import { startBox, type Box } from './box.ts'
import { parseConfig, type Config } from '../config/config.ts'
import { loadCity, loadKinds } from '../config/load.ts'
import { EXIT_FAILED } from '../exit.ts'
import { createLogger } from '../logger.ts'
import { describeStart, type StartReport } from './start-report.ts'

export interface StartOptions {
  demo?: true
  seed: string
  json?: true
  acceptLoss?: true
}

/** A part that does not stop within this is left behind: what was acknowledged is on disk already. */
const STOP_LIMIT_MS = 1_800

/** `pulso start`: runs until a signal comes or a part fails for good. */
export async function runBox(options: StartOptions): Promise<void> {
  const config = parseConfig(process.env)
  const [city, kinds] = await Promise.all([loadCity(config.cityFile), loadKinds(config.kindsDir)])
  const logger = createLogger(config.logLevel, 'box')
  const failed = Promise.withResolvers<never>()
  const stopped = nextSignal()

  await using parts = new AsyncDisposableStack()
  const box = await startBox({
    config,
    city,
    kinds,
    logger,
    acceptLoss: options.acceptLoss ?? false,
    onFailure: failed.reject,
  })
  parts.defer(() => box.stop())

  const demo = options.demo
    ? await (
        await import('./demo.ts')
      ).startDemo({ box, city, kinds, config, seed: toSeed(options.seed), onFailure: failed.reject })
    : null
  if (demo) parts.defer(() => demo.stop())

  const report = await toReport({
    box,
    config,
    cityName: city.name,
    firstReading: demo?.firstReading ?? null,
  })
  console.log(options.json ? JSON.stringify(report) : describeStart(report))

  const outcome = await Promise.race([stopped, failed.promise]).catch((error: unknown) => error)
  if (!(outcome instanceof Error)) logger.info({ signal: outcome }, 'stopping')
  else logger.fatal(outcome, 'a part failed, stopping')
  let exitCode = outcome instanceof Error ? EXIT_FAILED : 0
  setTimeout(() => {
    logger.warn({ limitMs: STOP_LIMIT_MS }, 'a part did not stop in time and is left behind')
    process.exit(exitCode)
  }, STOP_LIMIT_MS).unref()
  await parts.disposeAsync().catch((error: unknown) => {
    // A thread that is gone does not answer any more. All others have been stopped all the same.
    logger.error({ err: error }, 'a part could not be stopped')
    exitCode = EXIT_FAILED
  })
  process.exit(exitCode)
}

/** The first Ctrl-C stops in order; a second one does not wait. */
async function nextSignal(): Promise<string> {
  const first = Promise.withResolvers<string>()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      process.on(signal, () => process.exit(130))
      first.resolve(signal)
    })
  }
  return first.promise
}

async function toReport(options: {
  box: Box
  config: Config
  cityName: string
  firstReading: StartReport['firstReading']
}): Promise<StartReport> {
  const { box, config, cityName, firstReading } = options
  const operators = await box.administration.listOperators()
  return {
    city: cityName,
    http: box.httpUrl,
    mqtt: box.mqtt,
    dataDir: config.dataDir,
    // Shown by the start that makes it, and never again.
    operator: operators.length === 0 ? await box.administration.addOperator('operator') : null,
    firstReading,
  }
}

function toSeed(text: string): number {
  const seed = Number(text)
  if (!Number.isInteger(seed) || seed < 0)
    throw new AppError('invalid-seed', `--seed is a whole number, not '${text}'`)
  return seed
}
