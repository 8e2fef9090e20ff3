import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openSqliteRegistry, type IngestState } from '@pulso/stores'
import type { Sensor } from '@pulso/model'
import { startBoxProcess } from './support/box-process.ts'
import { freePort } from './support/free-port.ts'
import { LIGHTING } from './support/kinds.ts'

export interface KnownSensorsMeasure {
  sensors: number
  /** From the start of the process to `/health/ready`, of each attempt. */
  readyMs: number[]
  limitMs: number
}

const CHUNK = 10_000
const ATTEMPTS = 5
const LIMIT_MS = 3_000

/** How long a box takes to be ready again after a kill, when it knows so many sensors and a state of each. */
export async function measureKnownSensors(count: number): Promise<KnownSensorsMeasure> {
  const dataDir = await mkdtemp(join(tmpdir(), 'pulso-chaos-known-'))
  const readyMs: number[] = []
  try {
    await fillRegistry(dataDir, count)
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const box = startBoxProcess({ dataDir, mqttPort: await freePort(), env: {} })
      try {
        readyMs.push(await box.untilReady())
      } finally {
        await box.end('SIGKILL')
      }
    }
  } finally {
    await rm(dataDir, { recursive: true, force: true, maxRetries: 5 })
  }
  return { sensors: count, readyMs, limitMs: LIMIT_MS }
}

/** In the registry's own way, as `device import` does it. */
async function fillRegistry(dataDir: string, count: number): Promise<void> {
  const registry = await openSqliteRegistry({ file: join(dataDir, 'registry.sqlite') })
  const nowMs = Date.now()
  for (let from = 0; from < count; from += CHUNK) {
    const sensors = Array.from({ length: Math.min(CHUNK, count - from) }, (_, index) =>
      toSensor(from + index, nowMs),
    )
    await registry.putSensors(sensors)
    const states = sensors.map((sensor) => toState(sensor, nowMs))
    await registry.commitIngest({ position: 0, newSensors: [], states, quarantine: [] })
  }
  await registry.close()
}

function toSensor(index: number, nowMs: number): Sensor {
  const position = {
    latitude: 43.45 + (index % 300) / 10_000,
    longitude: -3.85 + Math.floor(index / 300) / 10_000,
  }
  return {
    id: `known-${index}`,
    kind: LIGHTING.id,
    name: null,
    position: { lat: position.latitude, lon: position.longitude },
    attributes: {},
    createdAtMs: nowMs,
  }
}

function toState({ id, kind }: Sensor, nowMs: number): IngestState {
  const newest = { [LIGHTING.serialMetric]: 1, [LIGHTING.extraMetric]: 40 }
  const values = Object.fromEntries(
    Object.entries(newest).map(([name, value]) => [name, { value, timeMs: nowMs }]),
  )
  return {
    sensorId: id,
    kind,
    timeMs: nowMs,
    receivedAtMs: nowMs,
    values,
    hourly: {},
    presence: null,
    newest,
    window: {},
  }
}
