import { setTimeout as delay } from 'node:timers/promises'
import { connectAsync, type MqttClient } from 'mqtt'
import { AppError, toTopic } from '@pulso/model'
import type { Administration } from '../administration.ts'
import type { BenchOptions } from './start.ts'
import type { StartReport } from '../box/start-report.ts'
import { loadKinds } from '../config/load.ts'
import { connectControl } from '../control.ts'
import { spawnBox, withBenchFolder } from './process.ts'
import { percentile, printMeasures } from './table.ts'

/** Long enough for many group commits, checkpoints and garbage collections. */
const PHASE_MS = 5_000
const PROBE_EVERY_MS = 10
const BATCH_SIZE = 200
const BATCHES_IN_FLIGHT = 8
const READERS = 4
const PREFIX = 'bench-'

/**
 * `pulso bench door`: one device publishes a reading every 10 ms and waits for its PUBACK, while the box is idle and while a
 * gateway sends batches as fast as they are acknowledged and readers ask the API without a pause, in turn.
 */
export async function benchDoor({ runs, json }: BenchOptions): Promise<void> {
  const [idle, loaded]: [Percentiles[], Percentiles[]] = [[], []]
  await withBenchFolder(async (folder) => {
    const box = await spawnBox(folder, ['--demo'])
    const { probe, flood, topic } = await connectClients(folder, box.report)
    // The virtual city fills in its past first.
    await delay(PHASE_MS * 2)
    for (let run = 0; run < runs; run++) {
      idle.push(await measureAcknowledgements(probe, topic('probe')))
      const load = startLoad(box.report, flood, topic)
      loaded.push(await measureAcknowledgements(probe, topic('probe')))
      const { batches, answers } = await load.stop()
      if (!json)
        console.error(
          `run ${run + 1} of ${runs}: ${batches * BATCH_SIZE} readings and ${answers} answers beside it`,
        )
    }
    await Promise.all([probe.endAsync(true), flood.endAsync(true)])
    await box.stop()
  })
  const toMeasure = (name: string, of: (times: Percentiles) => number) => ({
    name: `PUBACK under load, ${name}`,
    unit: 'ms',
    values: loaded.map(of),
    against: { name: 'idle', value: percentile(idle.map(of), 0.5) },
  })
  printMeasures(
    [
      toMeasure('median', ({ median }) => median),
      toMeasure('99 %', ({ p99 }) => p99),
      toMeasure('worst', ({ worst }) => worst),
    ],
    json,
  )
}

interface Percentiles {
  median: number
  p99: number
  worst: number
}

async function connectClients(folder: string, { mqtt }: StartReport) {
  const [kind] = (await loadKinds(null)).values()
  const box = await connectControl<Administration>(folder)
  if (!kind || !box) throw new AppError('bench-failed', 'The box that was just started is gone')
  const secret = await box.provideGateway({ username: 'bench', prefix: PREFIX, sensors: [] })
  const connect = (): Promise<MqttClient> => connectAsync(`mqtt://${mqtt.host}:${mqtt.port}`, secret)
  const [probe, flood] = await Promise.all([connect(), connect()])
  const topic = (sensor: string): string =>
    toTopic({ kind: kind.id, sensorId: `${PREFIX}${sensor}`, channel: 'telemetry' })
  return { probe, flood, topic }
}

/** Publishes on a schedule and counts from the scheduled time, so that a stall is not hidden by sending later. */
async function measureAcknowledgements(client: MqttClient, topic: string): Promise<Percentiles> {
  const startedAt = performance.now()
  const times: Promise<number>[] = []
  for (let sent = 0; sent * PROBE_EVERY_MS < PHASE_MS; sent++) {
    const dueAt = startedAt + sent * PROBE_EVERY_MS
    await delay(Math.max(0, dueAt - performance.now()))
    times.push(
      client.publishAsync(topic, '{"batteryLevel":0.5}', { qos: 1 }).then(() => performance.now() - dueAt),
    )
  }
  const all = await Promise.all(times)
  return { median: percentile(all, 0.5), p99: percentile(all, 0.99), worst: Math.max(...all) }
}

/** Batches through the door and questions to the API, as fast as they are answered, until told to stop. */
function startLoad({ http }: StartReport, client: MqttClient, topic: (sensor: string) => string) {
  let isRunning = true
  let [batches, answers] = [0, 0]
  const publish = async (lane: number): Promise<void> => {
    while (isRunning) {
      const nowMs = Date.now()
      const batch = Array.from({ length: BATCH_SIZE }, (_, index) => ({
        time: nowMs - index * 1_000,
        rssi: -(index % 100),
      }))
      await client.publishAsync(topic(`flood-${lane}`), JSON.stringify(batch), { qos: 1 })
      batches += 1
    }
  }
  const ask = async (): Promise<void> => {
    while (isRunning) {
      await (await fetch(`${http}/api/v1/sensors?limit=1000`)).arrayBuffer()
      answers += 1
    }
  }
  const lanes = [
    ...Array.from({ length: BATCHES_IN_FLIGHT }, (_, lane) => publish(lane)),
    ...Array.from({ length: READERS }, ask),
  ]
  return {
    async stop() {
      isRunning = false
      await Promise.all(lanes)
      return { batches, answers }
    },
  }
}
