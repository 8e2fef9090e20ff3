import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import type { TestContext } from 'node:test'
import { systemClock } from '@pulso/model'
import {
  createSqliteJournal,
  createSqliteJournalReader,
  createSqliteJournalWriter,
  hashSecret,
  openSqliteRegistry,
  type Credential,
  type CredentialScope,
  type CredentialsRegistry,
  type JournalReader,
  type JournalWriter,
  type KeptMessage,
  type Registry,
} from '@pulso/stores'
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt'
import { pino } from 'pino'
import { Registry as MetricsRegistry } from 'prom-client'
import { createBroker, type Broker, type BrokerOptions, type BrokerPorts } from '../../src/index.ts'
import { openDevice, type Device } from './device.ts'

export const SECRET = 'a-random-secret'

export interface Door {
  broker: Broker
  port: number
  ports: BrokerPorts
  registry: Registry
  writer: JournalWriter
  metrics: MetricsRegistry
  /** What was logged, one object a line. */
  logged: Record<string, unknown>[]
  /** A raw socket to the broker. */
  device(): Promise<Device>
  /** MQTT.js, connected. */
  client(username: string, options?: IClientOptions): Promise<MqttClient>
  /** Everything in the journal, once it holds at least `count`. */
  kept(count: number): Promise<KeptMessage[]>
  count(metric: string): Promise<number>
  /** With the password `SECRET`, unless said otherwise. */
  addCredential(username: string, scope: CredentialScope, differing?: Partial<Credential>): Promise<void>
  /** Closes something at the end, before the broker stops. */
  closing(close: () => unknown): void
}

export interface DoorOptions extends Partial<BrokerOptions> {
  wrapJournal?: (journal: JournalWriter) => JournalWriter
  wrapCredentials?: (credentials: CredentialsRegistry) => CredentialsRegistry
}

/**
 * A broker on a free port in front of a real journal and registry. It knows the sensors `bay` and `lamp` under their
 * own names, and the gateway `gate` of all that starts with `gate-`.
 */
export async function openDoor(context: TestContext, options: DoorOptions = {}): Promise<Door> {
  const folder = await mkdtemp(join(tmpdir(), 'pulso-broker-'))
  const registry = await openSqliteRegistry({ file: join(folder, 'registry.db') })
  const file = join(folder, 'journal.db')
  const journal = createSqliteJournal({ file })
  await journal.start()
  const writer = createSqliteJournalWriter({ port: journal.writerPort() })
  const reader = createSqliteJournalReader({ port: journal.readerPort(), file })
  const { wrapJournal, wrapCredentials, ...brokerOptions } = options
  const metrics = new MetricsRegistry()
  const logged: Door['logged'] = []
  const broker = createBroker({
    host: '127.0.0.1',
    port: 0,
    journal: wrapJournal?.(writer) ?? writer,
    credentials: wrapCredentials?.(registry) ?? registry,
    clock: systemClock,
    logger: pino({ level: 'debug' }, toLines(logged)),
    metrics,
    ...brokerOptions,
  })
  const ports = await broker.start()
  const { port } = ports
  const closing: (() => unknown)[] = []
  context.after(async () => {
    for (const close of closing) await close()
    await broker.stop()
    await writer.close()
    await reader.close()
    await journal.stop()
    await registry.close()
    await rm(folder, { recursive: true, force: true })
  })

  const addCredential: Door['addCredential'] = (username, scope, differing) =>
    registry.addCredential({
      username,
      access: 'password',
      secretHash: hashSecret(SECRET),
      previous: null,
      scope,
      createdAtMs: Date.now(),
      ...differing,
    })
  for (const sensorId of ['bay', 'lamp']) await addCredential(sensorId, { type: 'sensor', sensorId })
  await addCredential('gate', { type: 'gateway', prefix: 'gate-' })

  return {
    broker,
    port,
    ports,
    registry,
    writer,
    metrics,
    logged,
    addCredential,
    closing: (close) => void closing.push(close),
    async device() {
      const device = await openDevice(port)
      closing.push(() => device.close())
      return device
    },
    async client(username, clientOptions) {
      const client = mqtt.connect({
        host: '127.0.0.1',
        port,
        username,
        password: SECRET,
        reconnectPeriod: 0,
        ...clientOptions,
      })
      closing.push(() => client.endAsync(true))
      // A connection that the broker ends is an error to MQTT.js at any time.
      client.on('error', () => undefined)
      await new Promise<void>((resolve, reject) => {
        client.once('connect', () => resolve())
        client.once('error', reject)
      })
      return client
    },
    kept: (count) => readKept(reader, count),
    async count(metric) {
      const text = await metrics.metrics()
      const line = text.split('\n').find((each) => each.startsWith(`${metric} `))
      return Number(line?.split(' ').at(-1) ?? 0)
    },
  }
}

async function readKept(reader: JournalReader, count: number): Promise<KeptMessage[]> {
  const kept: KeptMessage[] = []
  do {
    const signal = kept.length < count ? AbortSignal.timeout(20_000) : AbortSignal.abort()
    const more = await reader.read({ after: kept.at(-1)?.position ?? 0, limit: 10_000, signal })
    if (more.length === 0) break
    kept.push(...more)
  } while (kept.length < count)
  return kept
}

function toLines(lines: Record<string, unknown>[]): Writable {
  return new Writable({
    write(chunk: Buffer, _, done) {
      lines.push(JSON.parse(chunk.toString()) as Record<string, unknown>)
      done()
    },
  })
}
