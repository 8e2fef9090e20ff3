import type { Sensor } from '@pulso/model'
import type { IngestState, Registry } from '@pulso/stores'

/** What ingest knows by heart: every sensor and its newest state, as both stores have committed them. */
export interface Memory {
  readonly sensors: ReadonlyMap<string, Sensor>
  readonly states: ReadonlyMap<string, IngestState>
  /** Sensor ids by the DevEUI that a LoRaWAN network knows them by, 16 upper-case hex digits. */
  readonly sensorsByDevEui: ReadonlyMap<string, string>
  /** Takes up what was added or changed in the registry. @returns those */
  refresh(): Promise<Sensor[]>
  /** To be called when a batch is committed. */
  commit(newSensors: Iterable<Sensor>, states: readonly IngestState[]): void
}

export async function loadMemory(registry: Registry): Promise<Memory> {
  const sensors = new Map<string, Sensor>()
  const states = new Map<string, IngestState>()
  const sensorsByDevEui = new Map<string, string>()
  let revision = 0
  for (const state of await registry.listStates()) states.set(state.sensorId, state)

  const refresh = async (): Promise<Sensor[]> => {
    const changes = await registry.sensorsSince(revision)
    // First all that no longer holds: a DevEUI may have passed from one sensor to another.
    for (const { id } of changes.sensors) {
      const before = sensors.get(id)?.lorawan?.devEui.toUpperCase()
      if (before !== undefined && sensorsByDevEui.get(before) === id) sensorsByDevEui.delete(before)
    }
    for (const sensor of changes.sensors) {
      sensors.set(sensor.id, sensor)
      if (sensor.lorawan) sensorsByDevEui.set(sensor.lorawan.devEui.toUpperCase(), sensor.id)
    }
    revision = changes.revision
    return changes.sensors
  }
  await refresh()
  return {
    sensors,
    states,
    sensorsByDevEui,
    refresh,
    commit(newSensors, newStates) {
      for (const sensor of newSensors) sensors.set(sensor.id, sensor)
      for (const state of newStates) states.set(state.sensorId, state)
    },
  }
}
