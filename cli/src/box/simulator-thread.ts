import { systemClock, type City } from '@pulso/model'
import { createVirtualCity, type PlannedSensor } from '@pulso/simulators'
import { Registry } from 'prom-client'
import { createLogger } from '../logger.ts'
import { serveThread, threadData } from './thread.ts'

/** The virtual city's thread: an MQTT client like any other, that happens to live in the same process. */
export interface SimulatorThreadData {
  city: City
  sensors: readonly PlannedSensor[]
  seed: number
  mqttUrl: string
  apiUrl: string
  username: string
  password: string
  logLevel: string
}

export interface SimulatorThreadMethods {
  start(): Promise<void>
  stop(): Promise<void>
}

const { logLevel, ...options } = threadData<SimulatorThreadData>()

serveThread({ name: 'simulator', metrics: new Registry(), open })

async function open() {
  const virtualCity = createVirtualCity({
    ...options,
    clock: systemClock,
    logger: createLogger(logLevel, 'virtual city'),
  })
  return { start: () => virtualCity.start(), stop: () => virtualCity.stop() }
}
