import {
  createZoneIndex,
  SECOND_MS,
  type Clock,
  type Kinds,
  type Sensor,
  type SensorState,
  type Zone,
} from '@pulso/model'
import { toContributions } from './aggregates.ts'
import { createEntry, refreshEntry, type Entry } from './entry.ts'
import { createGroups, type Group } from './groups.ts'
import { createRecentChanges } from './recent-changes.ts'
import { createSchedule } from './schedule.ts'

/** States of sensors that the registry has not told us of yet, kept until it does. */
const MAX_WAITING_STATES = 100_000

export interface CurrentStateOptions {
  zones: readonly Zone[]
  kinds: Kinds
  clock: Clock
}

/** What one tick changed. */
export interface Changes {
  /** Rises by one with each tick that changed something. */
  sequence: number
  entries: Entry[]
  groups: Group[]
}

export interface CurrentState {
  /** New and changed sensors. @returns ids that were passed over because nobody knows their kind */
  putSensors(sensors: readonly Sensor[]): string[]
  /**
   * Absolute states: a newer or equal one replaces the known one.
   * @returns how many wait for a sensor that is not known yet, and how many had no room to wait
   */
  applyStates(states: readonly SensorState[]): { waiting: number; dropped: number }
  /**
   * Everything as the registry has it, once, at the start; a state that came in meanwhile stays.
   * @returns ids that were passed over because nobody knows their kind
   */
  load(sensors: readonly Sensor[], states: readonly SensorState[]): string[]
  /** Lets time pass: sensors become stale and offline though nothing arrives. */
  sweep(): void
  /** Ends a tick: what changed since the last one, or `undefined` when nothing did. */
  takeChanges(): Changes | undefined
  /** What changed behind a tick, each sensor and group once. */
  changesSince(sequence: number): Changes
  /** The sensors of these changes alone, without working out any sums. */
  entriesSince(sequence: number): Entry[]
  readonly sequence: number
  /** Rises whenever a sensor is added, moved or described anew: what is built of positions holds until then. */
  readonly sensorsVersion: number
  /** When something last changed. */
  readonly changedAtMs: number
  get(id: string): Entry | undefined
  /** By id. */
  list(): readonly Entry[]
  /** In no order, but without the cost of one; what is added while somebody goes through them comes too. */
  values(): IterableIterator<Entry>
  groups(): { zones: Group[]; city: Group[] }
}

/** The whole city's present, in memory: 100,000 sensors cost about a hundred megabytes and a reading microseconds. */
export function createCurrentState({ zones, kinds, clock }: CurrentStateOptions): CurrentState {
  const zoneIndex = createZoneIndex(zones)
  const entries = new Map<string, Entry>()
  const groups = createGroups(kinds)
  const schedule = createSchedule()
  const changed = new Set<Entry>()
  const recent = createRecentChanges()
  const waiting = new Map<string, SensorState>()
  let sorted: Entry[] = []
  let isSorted = true
  let sequence = 0
  let sensorsVersion = 0
  let changedAtMs = clock.now()
  let sweptAtMs = changedAtMs

  const refresh = (entry: Entry, nowMs: number): void => {
    refreshEntry(entry, nowMs)
    entry.contributions = toContributions(entry, nowMs)
    schedule.add(entry)
  }

  const markChanged = (entry: Entry, nowMs: number): void => {
    refresh(entry, nowMs)
    groups.touch(entry)
    changed.add(entry)
    entry.changedAt = sequence + 1
    changedAtMs = nowMs
  }

  const addEntry = (sensor: Sensor, state: SensorState | undefined): Entry | undefined => {
    const kind = kinds.get(sensor.kind)
    if (!kind) return undefined
    const entry = createEntry(sensor, kind, zoneIndex.find(sensor.position))
    sensorsVersion += 1
    entry.state = state
    entries.set(sensor.id, entry)
    sorted.push(entry)
    isSorted = false
    groups.put(entry)
    return entry
  }

  const changeEntry = (entry: Entry, sensor: Sensor): void => {
    const before = entry.sensor.position
    const { position } = sensor
    if (before?.lat !== position?.lat || before?.lon !== position?.lon) {
      // Moved twice within a tick: nobody has heard of the place in between.
      if (entry.movedAt !== sequence + 1) entry.previousPosition = before
      entry.movedAt = sequence + 1
    }
    groups.remove(entry)
    sensorsVersion += 1
    entry.sensor = sensor
    entry.rules = { kind: entry.kind, attributes: sensor.attributes }
    entry.zone = zoneIndex.find(position)
    groups.put(entry)
  }

  const takeWaiting = (sensorId: string): SensorState | undefined => {
    if (waiting.size === 0) return undefined
    const state = waiting.get(sensorId)
    waiting.delete(sensorId)
    return state
  }

  const putSensors = (sensors: readonly Sensor[]): string[] => {
    const nowMs = clock.now()
    const unknown: string[] = []
    for (const sensor of sensors) {
      const known = entries.get(sensor.id)
      if (known) changeEntry(known, sensor)
      const entry = known ?? addEntry(sensor, takeWaiting(sensor.id))
      if (entry) markChanged(entry, nowMs)
      else unknown.push(sensor.id)
    }
    return unknown
  }

  const setState = (state: SensorState, nowMs: number): void => {
    const entry = entries.get(state.sensorId)
    if (!entry || (entry.state && entry.state.timeMs > state.timeMs)) return
    entry.state = state
    markChanged(entry, nowMs)
  }

  const wait = (state: SensorState): boolean => {
    const known = waiting.get(state.sensorId)
    if (known ? known.timeMs > state.timeMs : waiting.size >= MAX_WAITING_STATES) return known !== undefined
    waiting.set(state.sensorId, state)
    return true
  }

  const entriesSince = (since: number): Entry[] =>
    recent.since(since) ?? [...entries.values()].filter(({ changedAt }) => changedAt > since)

  return {
    putSensors,
    applyStates(states) {
      const nowMs = clock.now()
      let dropped = 0
      for (const state of states) {
        if (entries.has(state.sensorId)) setState(state, nowMs)
        else if (!wait(state)) dropped += 1
      }
      return { waiting: waiting.size, dropped }
    },
    load(sensors, states) {
      const nowMs = clock.now()
      const unknown: string[] = []
      for (const sensor of sensors) if (!addEntry(sensor, takeWaiting(sensor.id))) unknown.push(sensor.id)
      for (const state of states) {
        const entry = entries.get(state.sensorId)
        if (entry && !(entry.state && entry.state.timeMs >= state.timeMs)) entry.state = state
      }
      // Behind both, so that each sensor's place in the sums is worked out once. Nobody waits for these changes.
      for (const entry of entries.values()) refresh(entry, nowMs)
      return unknown
    },
    sweep() {
      const nowMs = clock.now()
      // Set back, a clock makes young again what it had already called old.
      const isSetBack = nowMs < sweptAtMs - SECOND_MS
      sweptAtMs = nowMs
      for (const entry of isSetBack ? entries.values() : schedule.takeDue(nowMs)) markChanged(entry, nowMs)
    },
    takeChanges() {
      const changedGroups = groups.takeChanged()
      if (changed.size === 0 && changedGroups.length === 0) return undefined
      sequence += 1
      for (const group of changedGroups) group.changedAt = sequence
      const changes = { sequence, entries: [...changed], groups: changedGroups }
      changed.clear()
      recent.add(changes)
      return changes
    },
    entriesSince,
    changesSince(since) {
      const { zones: zoneGroups, city } = groups.list()
      return {
        sequence,
        entries: entriesSince(since),
        groups: [...zoneGroups, ...city].filter(({ changedAt }) => changedAt > since),
      }
    },
    get sequence() {
      return sequence
    },
    get sensorsVersion() {
      return sensorsVersion
    },
    get changedAtMs() {
      return changedAtMs
    },
    get: (id) => entries.get(id),
    values: () => entries.values(),
    list() {
      if (!isSorted) sorted = sorted.sort((a, b) => (a.sensor.id < b.sensor.id ? -1 : 1))
      isSorted = true
      return sorted
    },
    groups: () => groups.list(),
  }
}
