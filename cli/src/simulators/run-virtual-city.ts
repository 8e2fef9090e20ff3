import { once } from 'node:events'
import { AppError, systemClock } from '@pulso/model'
import { createVirtualCity, planVirtualCity, VIRTUAL_CITY_PREFIX } from '@pulso/simulators'
import { VIRTUAL_CITY_USERNAME } from '../box/demo.ts'
import { parseConfig } from '../config/config.ts'
import { loadCity } from '../config/load.ts'
import { createLogger } from '../logger.ts'
import { findDoor, untilInterrupted, type DoorOptions } from './door.ts'

export interface SimulateOptions extends DoorOptions {
  seed: string
  speed: string
}

/** `pulso simulate`. */
export async function runVirtualCity(options: SimulateOptions): Promise<void> {
  const config = parseConfig(process.env)
  const city = await loadCity(config.cityFile)
  const seed = toNumber(options.seed, '--seed')
  const sensors = planVirtualCity({ city, seed })
  const door = await findDoor(options, {
    username: VIRTUAL_CITY_USERNAME,
    prefix: VIRTUAL_CITY_PREFIX,
    sensors,
  })
  const stopped = untilInterrupted()
  const logger = createLogger(config.logLevel, 'virtual city')
  const virtualCity = createVirtualCity({
    ...door,
    city,
    sensors,
    seed,
    speed: toNumber(options.speed, '--speed'),
    clock: systemClock,
    logger,
  })
  await virtualCity.start()
  console.log(
    `${sensors.length} simulated sensors of ${city.name} publish to ${door.mqttUrl}. Ctrl-C ends them.`,
  )
  if (!stopped.aborted) await once(stopped, 'abort')
  await virtualCity.stop()
}

function toNumber(text: string, option: string): number {
  const value = Number(text)
  if (!(value >= 0)) throw new AppError('invalid-option', `${option} is a number, not '${text}'`)
  return value
}
