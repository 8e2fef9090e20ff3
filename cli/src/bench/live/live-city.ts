import { setTimeout as delay } from 'node:timers/promises'
import { AppError, toIsoTime, toTopic, type CityView } from '@pulso/model'
import { loadKind, loadSensorIds } from '@pulso/simulators'
import { connectAsync } from 'mqtt'
import type { Administration } from '../../administration.ts'
import { connectControl } from '../../control.ts'
import { parseMetrics } from '../ingest/peers.ts'
import { spawnBox } from '../process.ts'

/** A box with sensors all over the city, which change at a steady pace while somebody measures. */
export interface LiveCity {
  host: string
  port: number
  /** What readers ask for: everything, one kind, or a box of their own around the middle of the city. */
  paths(readers: number): string[]
  /** A change of the sensor in the middle. @returns the text by which readers know it, and what sends it */
  probe(): { text: string; send(): void }
  metrics(): Promise<ReadonlyMap<string, number>>
  stop(): Promise<void>
}

export interface LiveCityOptions {
  folder: string
  sensors: number
  changesPerSecond: number
}

const PREFIX = 'live-'
const PROBE = `${PREFIX}probe`
const PUBLISH_EVERY_MS = 50
/** Behind everybody else's times, so that no sum over sensors carries it. */
const PROBE_AGE_MS = 3_600_000

export async function startLiveCity({
  folder,
  sensors,
  changesPerSecond,
}: LiveCityOptions): Promise<LiveCity> {
  const box = await spawnBox(folder, [])
  const { http, mqtt } = box.report
  const { bounds } = (await (await fetch(`${http}/api/v1/city`)).json()) as CityView
  const [west, south, east, north] = bounds
  const random = createRandom()
  const ids = loadSensorIds({ prefix: PREFIX, sensors })
  const control = await connectControl<Administration>(folder)
  if (!control) throw new AppError('bench-failed', 'The box that was just started is gone')
  const middle = { lon: (west + east) / 2, lat: (south + north) / 2 }
  const toSensor = (id: string, position: { lon: number; lat: number }) => ({
    id,
    kind: loadKind(),
    name: null,
    position,
    attributes: {},
  })
  const somewhere = () => ({ lon: west + random() * (east - west), lat: south + random() * (north - south) })
  const secret = await control.provideGateway({
    username: 'live',
    prefix: PREFIX,
    sensors: [toSensor(PROBE, middle), ...ids.map((id) => toSensor(id, somewhere()))],
  })
  const client = await connectAsync(`mqtt://${mqtt.host}:${mqtt.port}`, secret)
  const publish = (sensorId: string, payload: object): void => {
    const topic = toTopic({ kind: loadKind(), sensorId, channel: 'telemetry' })
    client.publish(topic, JSON.stringify(payload), { qos: 1 })
  }
  let published = 0
  const pace = setInterval(() => {
    for (let count = 0; count < (changesPerSecond * PUBLISH_EVERY_MS) / 1_000; count++, published++)
      publish(ids[published % ids.length] ?? PROBE, {
        time: Date.now(),
        status: published % 2 === 0 ? 'free' : 'occupied',
      })
  }, PUBLISH_EVERY_MS)
  let probeMs = Date.now() - PROBE_AGE_MS
  const { hostname, port } = new URL(http)
  return {
    host: hostname,
    port: Number(port),
    paths: (readers) =>
      Array.from({ length: readers }, (_, index) => {
        if (index % 4 === 0) return '/api/v1/live'
        if (index % 4 === 1) return `/api/v1/live?kinds=${loadKind()}`
        const [width, height] = [
          ((east - west) * (1 + random())) / 10,
          ((north - south) * (1 + random())) / 10,
        ]
        const corners = [middle.lon - width, middle.lat - height, middle.lon + width, middle.lat + height]
        return `/api/v1/live?bbox=${corners.map((degrees) => degrees.toFixed(6)).join(',')}`
      }),
    probe() {
      // A time of its own each: it stands in one delta only.
      const timeMs = (probeMs += 1_000)
      return {
        text: toIsoTime(timeMs),
        send: () => publish(PROBE, { time: timeMs, status: 'free' }),
      }
    },
    metrics: async () => parseMetrics(await (await fetch(`${http}/metrics`)).text()),
    async stop() {
      clearInterval(pace)
      await delay(PUBLISH_EVERY_MS)
      await client.endAsync(true)
      await box.stop()
    },
  }
}

/** Numbers from 0 to below 1 that are the same in each run (Park and Miller's generator). */
function createRandom(): () => number {
  let state = 20_260
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647
}
