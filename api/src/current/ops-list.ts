import type { Freshness, OpsSensor } from '@pulso/model'
import { parseCursor, toCursor } from '../http/query.ts'
import type { Entry } from './entry.ts'
import { toTime } from './features.ts'

/** Longest silent first, lowest battery first, by id. */
export const OPS_SORTS = ['silent', 'battery', 'id'] as const
export type OpsSort = (typeof OPS_SORTS)[number]

/** Behind every battery level there is. */
const NO_BATTERY = 2

export interface OpsQuery {
  kinds: ReadonlySet<string> | undefined
  freshness?: Freshness
  /** Part of an id or name, in any case. */
  q?: string
  sort: OpsSort
  limit: number
  cursor?: string
  /** Entries in quarantine by sensor. */
  quarantined: Readonly<Record<string, number>>
}

/**
 * A page of every sensor there is. The cursor is the last sensor's place in the order, so a page stays right while the
 * sensors before it move.
 * @throws AppError `invalid-cursor` (400)
 */
export function listOpsSensors(
  entries: readonly Entry[],
  query: OpsQuery,
): { total: number; sensors: OpsSensor[]; next: string | null } {
  const after = parseCursor(query.cursor, ['number', 'string']) as [number, string] | undefined
  const wanted = entries.filter((entry) => isWanted(entry, query))
  const keyed = wanted.map((entry) => ({ entry, key: toKey(entry, query.sort), id: entry.sensor.id }))
  const rest = after ? keyed.filter(({ key, id }) => isBehind([key, id], after)) : keyed
  // The list comes in the order of ids and the sort keeps it among equals.
  const page = rest.sort((a, b) => a.key - b.key).slice(0, query.limit)
  const last = page.at(-1)
  return {
    total: wanted.length,
    sensors: page.map(({ entry, id }) => toOpsSensor(entry, query.quarantined[id] ?? 0)),
    next: last && rest.length > page.length ? toCursor([last.key, last.id]) : null,
  }
}

function isWanted({ kind, sensor, freshness }: Entry, query: OpsQuery): boolean {
  if (query.kinds && !query.kinds.has(kind.id)) return false
  if (query.freshness && query.freshness !== freshness) return false
  const part = query.q?.toLowerCase() ?? ''
  return sensor.id.toLowerCase().includes(part) || (sensor.name?.toLowerCase().includes(part) ?? false)
}

function toKey(entry: Entry, sort: OpsSort): number {
  if (sort === 'id') return 0
  if (sort === 'silent') return entry.state?.timeMs ?? 0
  return toNumber(entry, 'batteryLevel') ?? NO_BATTERY
}

function isBehind([key, id]: [number, string], [afterKey, afterId]: [number, string]): boolean {
  return key === afterKey ? id > afterId : key > afterKey
}

function toOpsSensor(entry: Entry, quarantined: number): OpsSensor {
  const { sensor, kind, zone, stands, freshness, state } = entry
  return {
    id: sensor.id,
    kind: kind.id,
    name: sensor.name,
    zone,
    placed: sensor.position !== null,
    state: stands,
    freshness,
    presence: state?.presence ?? null,
    batteryLevel: toNumber(entry, 'batteryLevel'),
    rssi: toNumber(entry, 'rssi'),
    time: toTime(state?.timeMs),
    receivedAt: toTime(state?.receivedAtMs),
    quarantined,
  }
}

function toNumber({ state }: Entry, metric: string): number | null {
  const value = state?.values[metric]?.value
  return typeof value === 'number' ? value : null
}
