import type { Sensor } from '@pulso/model'
import type { IngestState, Registry } from '@pulso/stores'

/** What ingest knows by heart: every sensor and its newest state, as both stores have committed them. */
export interface Memory {
  readonly sensors: ReadonlyMap<string, Sensor>
  readonly states: ReadonlyMap<string, IngestState>
  /** Takes up what was added or changed in the registry. @returns those */
  refresh(): Promise<Sensor[]>
  /** To be called when a batch is committed. */
  commit(newSensors: Iterable<Sensor>, states: readonly IngestState[]): void
}

export async function loadMemory(registry: Registry): Promise<Memory> {
  const sensors = new Map<string, Sensor>()
  const states = new Map<string, IngestState>()
  let revision = 0
  for (const state of await registry.listStates()) states.set(state.sensorId, state)

  const refresh = async (): Promise<Sensor[]> => {
    const changes = await registry.sensorsSince(revision)
    for (const sensor of changes.sensors) sensors.set(sensor.id, sensor)
    revision = changes.revision
    return changes.sensors
  }
  await refresh()
  return {
    sensors,
    states,
    refresh,
    commit(newSensors, newStates) {
      for (const sensor of newSensors) sensors.set(sensor.id, sensor)
      for (const state of newStates) states.set(state.sensorId, state)
    },
  }
}
