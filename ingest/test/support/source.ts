import { Writable } from 'node:stream'
import type { TestContext } from 'node:test'
import { systemClock } from '@pulso/model'
import type { JournalMessage, JournalWriter } from '@pulso/stores'
import { pino } from 'pino'
import { Registry as MetricsRegistry } from 'prom-client'
import { waitFor } from '../../../test/support/wait.ts'
import {
  createMqttSource,
  createSourceMetrics,
  type MqttSource,
  type MqttSourceOptions,
} from '../../src/index.ts'

/** Waits that a test need not sit out. */
export const QUICK = { retryFirstMs: 10, retryLongestMs: 50, confirmMs: 10, connectMs: 2_000, stopMs: 500 }

export interface TestSource {
  source: MqttSource
  logged: Record<string, unknown>[]
  connected(): Promise<void>
  /** Once every topic has been granted or refused. */
  subscribed(): Promise<void>
  count(metric: string): Promise<number>
}

export function openSource(
  context: TestContext,
  options: Partial<MqttSourceOptions> & Pick<MqttSourceOptions, 'url' | 'folder' | 'journal'>,
): TestSource {
  const logged: Record<string, unknown>[] = []
  const metrics = new MetricsRegistry()
  const source = createMqttSource({
    name: 'city',
    username: null,
    password: null,
    clientId: 'pulso-test',
    topics: ['pulso/+/+/telemetry'],
    qos: 1,
    tls: { ca: null, cert: null, key: null },
    clock: systemClock,
    logger: pino({ level: 'info' }, toLines(logged)),
    metrics: createSourceMetrics(metrics),
    random: () => 0,
    ...options,
    limits: { ...QUICK, ...options.limits },
  })
  context.after(() => source.stop())
  source.start()
  return {
    source,
    logged,
    connected: () => until(source, (status) => status.state === 'connected', 'the source to connect'),
    subscribed: () =>
      until(
        source,
        ({ state, topics }) => state === 'connected' && topics.every((topic) => topic.state !== 'asked'),
        'the source to be subscribed',
      ),
    async count(metric) {
      const line = (await metrics.metrics()).split('\n').find((each) => each.startsWith(`${metric}{`))
      return Number(line?.split(' ').at(-1) ?? 0)
    },
  }
}

async function until(
  source: MqttSource,
  isTrue: (status: ReturnType<MqttSource['status']>) => boolean,
  what: string,
): Promise<void> {
  await waitFor(() => isTrue(source.status()), { what, everyMs: 5 })
}

export interface MemoryJournal extends JournalWriter {
  /** What was asked for, in order, kept or not. */
  asked: JournalMessage[]
  kept: JournalMessage[]
}

/** A journal whose commits happen when the test says so. */
export function createMemoryJournal(commit: () => Promise<void> = () => Promise.resolve()): MemoryJournal {
  const asked: JournalMessage[] = []
  const kept: JournalMessage[] = []
  let group: { messages: JournalMessage[]; done: Promise<void> } | undefined
  return {
    asked,
    kept,
    append(message) {
      const copy = { ...message, payload: Buffer.from(message.payload) }
      asked.push(copy)
      if (group) {
        group.messages.push(copy)
        return group.done
      }
      const messages = [copy]
      const done = new Promise<void>((resolve) => setImmediate(resolve)).then(async () => {
        group = undefined
        await commit()
        kept.push(...messages)
      })
      group = { messages, done }
      return done
    },
    close: () => Promise.resolve(),
  }
}

function toLines(lines: Record<string, unknown>[]): Writable {
  return new Writable({
    write(chunk: Buffer, _, done) {
      lines.push(JSON.parse(chunk.toString()) as Record<string, unknown>)
      done()
    },
  })
}
