import type { MetricValue, Reading, Values } from '@pulso/model'
import type { ReadingKey, ReadingsBatch } from '@pulso/stores'
import type { BatchTimes, Identity, KeptReading } from './identity.ts'
import type { SensorDraft } from './sensor-draft.ts'

/** What became of the readings of a batch. Their sum is the number of readings. */
export interface ReadingsTally {
  /** Brought something that was not known: a new reading, or a metric that was missing in a known one. */
  stored: number
  /** Brought nothing new. */
  duplicate: number
  /** Replaced a value that was different. */
  corrected: number
}

/** The readings of one batch, each (sensor, time) once. */
export interface Identities {
  /** @param reading its values must be nobody else's */
  add(draft: SensorDraft, reading: KeptReading): void
  /** Those which only the store can tell about, by kind. */
  lateKeys(): ReadonlyMap<string, readonly ReadingKey[]>
  /** Those before a time that change the store; all of them before `settle`. */
  changedBefore(beforeMs: number, take: (kind: string, reading: Reading) => void): void
  /** Settles them with what the store has. To be called once, before `toBatch`. */
  settle(stored: readonly Reading[]): ReadingsTally
  count(): number
  /** `undefined` when there is nothing to write. */
  toBatch(position: number): ReadingsBatch | undefined
}

const NO_ARRIVALS: Reading[] = []

/**
 * Identity is (sensor, time), merged per metric. Whether the store has a reading follows from the sensor's newest time
 * as it was before the batch: what is newer cannot be there, what is equal is remembered, and only what is older is
 * looked up.
 */
export function createIdentities(): Identities {
  const all: Identity[] = []
  const late: Identity[] = []
  const tally: ReadingsTally = { stored: 0, duplicate: 0, corrected: 0 }
  let count = 0

  const create = ({ base, kind }: SensorDraft, reading: KeptReading): Identity => {
    const identity: Identity = { kind: kind.id, reading, fate: 'insert', arrivals: NO_ARRIVALS }
    if (!base || reading.timeMs > base.timeMs) {
      tally.stored++
    } else if (reading.timeMs === base.timeMs) {
      identity.fate = 'nothing'
      identity.reading = { ...reading, values: { ...base.newest } }
      mergeArrival(identity, reading, tally)
    } else {
      identity.fate = 'late'
      identity.arrivals = [reading]
      identity.reading = { ...reading }
      late.push(identity)
    }
    all.push(identity)
    return identity
  }

  return {
    add(draft, reading) {
      count++
      const { times } = draft
      const known = findTime(times, reading.timeMs)
      if (!known) addTime(times, create(draft, reading))
      else if (known.fate === 'late') known.arrivals.push(reading)
      else mergeArrival(known, reading, tally)
    },
    lateKeys() {
      const keys = new Map<string, ReadingKey[]>()
      for (const { kind, reading } of late) {
        let ofKind = keys.get(kind)
        if (!ofKind) keys.set(kind, (ofKind = []))
        ofKind.push({ sensorId: reading.sensorId, timeMs: reading.timeMs })
      }
      return keys
    },
    changedBefore(beforeMs, take) {
      for (const { kind, reading, fate } of all)
        if (reading.timeMs < beforeMs && fate !== 'nothing') take(kind, reading)
    },
    settle(stored) {
      const lateByKey = new Map(late.map((identity) => [keyOf(identity.reading), identity]))
      for (const reading of stored) {
        const identity = lateByKey.get(keyOf(reading))
        if (!identity) continue
        identity.fate = 'nothing'
        identity.reading.values = { ...reading.values }
      }
      for (const identity of late) {
        const [first, ...others] = identity.arrivals
        if (identity.fate === 'late') {
          identity.fate = 'insert'
          tally.stored++
        } else if (first) mergeArrival(identity, first, tally)
        for (const arrival of others) mergeArrival(identity, arrival, tally)
      }
      return tally
    },
    count: () => count,
    toBatch(position) {
      const inserts = new Map<string, Reading[]>()
      const replacements = new Map<string, Reading[]>()
      for (const { kind, reading, fate } of all) {
        if (fate === 'nothing') continue
        const target = fate === 'insert' ? inserts : replacements
        const list = target.get(kind)
        if (list) list.push(reading)
        else target.set(kind, [reading])
      }
      return inserts.size + replacements.size === 0 ? undefined : { inserts, replacements, position }
    },
  }
}

/** An equal value is a duplicate, a missing one fills in, a different one replaces. */
function mergeArrival(identity: Identity, arrival: Reading, tally: ReadingsTally): void {
  const effect = mergeValues(identity.reading.values, arrival.values)
  tally[effect]++
  if (effect === 'duplicate') return
  identity.reading.receivedAtMs = arrival.receivedAtMs
  if (identity.fate === 'nothing') identity.fate = 'replace'
}

function mergeValues(target: Record<string, MetricValue>, values: Values): keyof ReadingsTally {
  let effect: keyof ReadingsTally = 'duplicate'
  for (const name in values) {
    const value = values[name]
    if (value === undefined || (Object.hasOwn(target, name) && target[name] === value)) continue
    if (Object.hasOwn(target, name)) effect = 'corrected'
    else if (effect === 'duplicate') effect = 'stored'
    target[name] = value
  }
  return effect
}

function keyOf({ timeMs, sensorId }: Reading): string {
  return `${timeMs} ${sensorId}`
}

function findTime({ newest, older }: BatchTimes, timeMs: number): Identity | undefined {
  if (!newest || timeMs > newest.reading.timeMs) return undefined
  return timeMs === newest.reading.timeMs ? newest : older?.get(timeMs)
}

function addTime(times: BatchTimes, identity: Identity): void {
  const { newest } = times
  const isNewest = !newest || identity.reading.timeMs > newest.reading.timeMs
  const other = isNewest ? newest : identity
  if (isNewest) times.newest = identity
  if (other) (times.older ??= new Map<number, Identity>()).set(other.reading.timeMs, other)
}
