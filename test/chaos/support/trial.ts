import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { SensorDetail } from '@pulso/model'
import { hashSecret, openSqliteRegistry } from '@pulso/stores'
import { readMetric } from '../../support/api.ts'
import { waitFor } from '../../support/wait.ts'
import { startBoxProcess, type BoxProcess } from './box-process.ts'
import { readAggregates } from './aggregates.ts'
import { compare, type Problem, type ProblemType } from './compare.ts'
import { freePort } from './free-port.ts'
import { createLedger, type Ledger } from './ledger.ts'
import type { Message } from './message.ts'
import { EVERYDAY_MIX, type Mix } from './messages.ts'
import { createPublisher, type Publisher } from './publisher.ts'
import { createSeededRandom, type Random } from './random.ts'
import { readRegistry, storedInDuckdb, type Stored } from './stored.ts'

export interface TrialOptions {
  seed: number
  dataDir: string
  messagesPerSecond: number
  say: (text: string) => void
  env?: Record<string, string>
  nodeArgs?: readonly string[]
  mix?: Mix
  /** Where the readings are; DuckDB by default. */
  stored?: Stored
  /** Where the devices publish, when not to the box itself. */
  publishTo?: OtherBroker
}

/** A broker that the box reads from. What it acknowledges to the devices is its own promise, not the box's. */
export interface OtherBroker {
  port: number
  onPublished: (message: Message) => void
  /** Resolves when the box has taken all that this broker holds. */
  settled: () => Promise<void>
}

/** One box on one folder, its devices, and what they know. */
export interface Trial {
  readonly random: Random
  readonly ledger: Ledger
  readonly publisher: Publisher
  readonly dataDir: string
  readonly mqttPort: number
  readonly outcome: TrialOutcome
  say(text: string): void
  /** The box as it runs, or ran last. */
  box(): BoxProcess
  /** Starts a process without waiting for anything. */
  spawn(): BoxProcess
  /** Starts the box, waits until it is ready and remembers how long that took. */
  start(): Promise<void>
  /** The devices send for so long. */
  load(durationMs: number): Promise<void>
  /** Ends the box with `kill -9`. */
  kill(): Promise<void>
  /** Waits until all is acknowledged and stored, ends the box, and compares. Its problems end the trial. */
  check(): Promise<void>
  fail(type: ProblemType, detail: string): never
  close(): Promise<void>
}

export interface TrialOutcome {
  kills: number
  checks: number
  readings: number
  indistinguishable: number
  bestEffortLost: number
  /** From each start after a kill to `/health/ready`. */
  readyMs: number[]
  problems: Problem[]
}

/** What ends a trial: its problems are in the outcome. */
export class TrialFailed extends Error {}

const CONNECTIONS = 16
const PREFIX = 'chaos-'
const CREDENTIAL = { username: 'chaos-gateway', password: 'a-secret-of-the-chaos-run' }
const SETTLE_LIMIT_MS = 60_000
const DRAIN_LIMIT_MS = 120_000

export async function createTrial(options: TrialOptions): Promise<Trial> {
  const { seed, dataDir, say, env = {}, nodeArgs = [], stored = storedInDuckdb(dataDir) } = options
  await mkdir(dataDir, { recursive: true })
  await addGateway(dataDir)
  const random = createSeededRandom(seed)
  const ledger = createLedger()
  const { publishTo } = options
  const publisher = createPublisher({
    // A stream of its own: what is sent must not depend on when the box is killed.
    random: createSeededRandom(seed + 1),
    ledger,
    mix: options.mix ?? EVERYDAY_MIX,
    connections: CONNECTIONS,
    messagesPerSecond: options.messagesPerSecond,
    credential: CREDENTIAL,
    prefix: PREFIX,
    onSent(message) {
      publishTo?.onPublished(message)
      ledger.sent(message)
    },
    onAcknowledged(message) {
      if (!publishTo) ledger.acknowledged(message)
    },
  })
  const mqttPort = await freePort()
  publisher.open(publishTo?.port ?? mqttPort)
  const outcome: TrialOutcome = {
    kills: 0,
    checks: 0,
    readings: 0,
    indistinguishable: 0,
    bestEffortLost: 0,
    readyMs: [],
    problems: [],
  }
  let current: BoxProcess | undefined

  const box = (): BoxProcess => {
    if (!current) throw new Error('the box has not been started')
    return current
  }
  const fail = (type: ProblemType, detail: string): never => {
    outcome.problems.push({ type, detail })
    throw new TrialFailed(`${type}: ${detail}`)
  }
  const attempt = async <T>(type: ProblemType, work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (error) {
      return fail(type, `${String(error)}\n${box().log().slice(-3_000)}`)
    }
  }
  const spawnBox = (): BoxProcess => (current = startBoxProcess({ dataDir, mqttPort, env, nodeArgs }))

  const settle = async (): Promise<void> => {
    publisher.pause()
    await attempt('not-acknowledged', () => publisher.settle(SETTLE_LIMIT_MS))
    if (publishTo) await attempt('not-acknowledged', publishTo.settled)
    await attempt('not-drained', () =>
      waitFor(async () => (await readMetric(box(), 'pulso_journal_depth')) === 0, {
        what: 'an empty journal',
        timeoutMs: DRAIN_LIMIT_MS,
      }),
    )
  }

  const trial: Trial = {
    random,
    ledger,
    publisher,
    dataDir,
    mqttPort,
    outcome,
    say,
    box,
    spawn: spawnBox,
    fail,
    async start() {
      spawnBox()
      const readyMs = await attempt('not-ready', () => box().untilReady())
      if (outcome.kills > 0) outcome.readyMs.push(readyMs)
    },
    async load(durationMs) {
      publisher.resume()
      await delay(durationMs)
    },
    async kill() {
      if (!box().isRunning()) {
        const { code } = await box().ended
        fail('wrong-end', `the box ended by itself with code ${code}\n${box().log().slice(-3_000)}`)
      }
      outcome.kills++
      ledger.round = outcome.kills
      await box().end('SIGKILL')
    },
    async check() {
      await settle()
      const shown = await attempt('wrong-state', () => readShown(box(), ledger))
      const aggregates = await attempt('wrong-aggregate', () => readAggregates(box()))
      // A crash of a box that has nothing to do must change as little as an orderly end.
      if (random.chance(0.5)) await trial.kill()
      else {
        const { code } = await box().end('SIGINT')
        if (code !== 0) fail('wrong-end', `stopping ended with code ${code}\n${box().log().slice(-3_000)}`)
      }
      const registry = await readRegistry(dataDir)
      const comparison = await compare(ledger, { stored, registry, shown, aggregates })
      outcome.checks++
      const { readings, indistinguishable, bestEffortLost } = comparison
      Object.assign(outcome, { readings, indistinguishable, bestEffortLost })
      const [first] = comparison.problems
      if (first) {
        outcome.problems.push(...comparison.problems)
        throw new TrialFailed(`${first.type}: ${first.detail}`)
      }
    },
    async close() {
      publisher.stop()
      if (current?.isRunning()) await current.end('SIGKILL')
    },
  }
  return trial
}

async function addGateway(dataDir: string): Promise<void> {
  const registry = await openSqliteRegistry({ file: join(dataDir, 'registry.sqlite') })
  await registry.addCredential({
    username: CREDENTIAL.username,
    access: 'password',
    secretHash: hashSecret(CREDENTIAL.password),
    previous: null,
    scope: { type: 'gateway', prefix: PREFIX },
    createdAtMs: Date.now(),
  })
  await registry.close()
}

/** Every sensor as the API shows it, once its answers do not change any more: states follow the journal's end. */
async function readShown(box: BoxProcess, ledger: Ledger): Promise<SensorDetail[]> {
  let last = ''
  return waitFor(
    async () => {
      const shown = await Promise.all([...ledger.accounts.keys()].map((id) => readSensor(box, id)))
      const text = JSON.stringify(shown.map((sensor) => sensor?.properties.metrics))
      const isStill = text === last
      last = text
      return isStill ? shown.filter((sensor) => sensor !== undefined) : undefined
    },
    { what: 'states that stand still', timeoutMs: 20_000, everyMs: 50 },
  )
}

async function readSensor(box: BoxProcess, id: string): Promise<SensorDetail | undefined> {
  const response = await fetch(new URL(`/api/v1/sensors/${id}`, box.http))
  if (response.status === 404) {
    await response.arrayBuffer()
    return undefined
  }
  return (await response.json()) as SensorDetail
}
