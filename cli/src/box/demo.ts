import type { AppError, City, Kinds } from '@pulso/model'
import { planVirtualCity, VIRTUAL_CITY_PREFIX } from '@pulso/simulators'
import type { Config } from '../config/config.ts'
import type { Box } from './box.ts'
import { provideFirstReading, type FirstReading } from './first-reading.ts'
import type { SimulatorThreadData, SimulatorThreadMethods } from './simulator-thread.ts'
import { spawnThread } from './thread.ts'

export interface Demo {
  firstReading: FirstReading | null
  stop(): Promise<void>
}

export const VIRTUAL_CITY_USERNAME = 'virtual-city'

/** Lets the virtual city move into a running box: through the front door, with a credential like any device. */
export async function startDemo(options: {
  box: Box
  city: City
  kinds: Kinds
  config: Config
  seed: number
  onFailure(error: AppError): void
}): Promise<Demo> {
  const { box, city, kinds, config, seed, onFailure } = options
  const sensors = planVirtualCity({ city, seed })
  const credential = await box.administration.provideGateway({
    username: VIRTUAL_CITY_USERNAME,
    prefix: VIRTUAL_CITY_PREFIX,
    sensors,
  })
  const firstReading = await provideFirstReading({ ...box, city, kinds, dataDir: config.dataDir })
  const thread = spawnThread<SimulatorThreadMethods, SimulatorThreadData>({
    file: new URL('./simulator-thread.ts', import.meta.url),
    data: {
      city,
      sensors,
      seed,
      mqttUrl: `mqtt://${box.mqtt.host}:${box.mqtt.port}`,
      apiUrl: box.httpUrl,
      ...credential,
      logLevel: config.logLevel,
    },
    onFailure,
  })
  await thread.client.start()
  return {
    firstReading,
    async stop() {
      await thread.client.stop()
      await thread.end()
    },
  }
}
