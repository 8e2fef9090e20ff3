import type { Kinds, Metric, MetricValue, Reading } from '@pulso/model'
import type { SensorPlace } from '@pulso/stores'
import { createKinds } from './kinds.ts'

const LOCK: Metric = {
  type: 'state',
  title: { en: 'Lock', es: 'Cierre', fr: 'Serrure' },
  values: ['locked', 'loose', 'unknown'],
  rollup: 'share',
}
const COUNTER: Metric = {
  type: 'number',
  title: { en: 'Emptied', es: 'Vaciado', fr: 'Vidé' },
  unit: '1',
  min: 0,
  max: 1e9,
  decimals: 0,
  rollup: 'counter',
}

/** A bin with a number, two states and a counter. */
export function createRollupKinds(extraMetrics: Readonly<Record<string, Metric>> = {}): Kinds {
  return createKinds({ lock: LOCK, emptied: COUNTER, ...extraMetrics })
}

const MINUTE_MS = 60_000

/** In two zones and in none; holds from six minutes to over two hours. */
export const PLACES: readonly SensorPlace[] = Array.from({ length: 9 }, (_, n) => ({
  sensorId: `s${n}`,
  kind: 'bin',
  zone: ['a', 'o\'b "2"', null][n % 3] ?? null,
  holdMs: [6, 20, 45, 130][n % 4] ?? 0,
})).map((place) => ({ ...place, holdMs: place.holdMs * MINUTE_MS }))

/** Numbers from 0 to 1, the same again for the same seed (mulberry32). */
export function createRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/**
 * What the sensors and one in no place say in a period: often and seldom, with silences longer than values hold, often at
 * the same moment, seldom everything at once, with counters that begin anew.
 */
export function createSamples(random: () => number, fromMs: number, toMs: number): Reading[] {
  const readings: Reading[] = []
  for (const sensorId of [...PLACES.map((place) => place.sensorId), 'unplaced']) {
    let emptied = random() * 1_000
    let timeMs = fromMs + Math.floor(random() * 10) * MINUTE_MS
    while (timeMs < toMs) {
      emptied = random() < 0.05 ? random() * 5 : emptied + Math.floor(random() * 4)
      const all: Record<string, MetricValue> = {
        level: random() * 90 + 1,
        lid: random() < 0.5 ? 'open' : 'shut',
        lock: ['locked', 'loose', 'unknown'][Math.floor(random() * 3)] ?? 'unknown',
        emptied,
        batteryLevel: random(),
      }
      const values = Object.fromEntries(Object.entries(all).filter(() => random() < 0.7))
      readings.push({ sensorId, timeMs, receivedAtMs: timeMs + 42, values })
      const pauseMs = (random() < 0.05 ? 180 : 14) * MINUTE_MS * random()
      timeMs += random() < 0.5 ? Math.ceil(pauseMs / MINUTE_MS) * MINUTE_MS : Math.ceil(pauseMs) + 1
    }
  }
  return readings
}

export function shuffled<T>(list: readonly T[], random: () => number): T[] {
  return list
    .map((item) => ({ item, order: random() }))
    .sort((a, b) => a.order - b.order)
    .map(({ item }) => item)
}
