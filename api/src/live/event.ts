import { toIsoTime, type LiveEvent } from '@pulso/model'
import type { Group } from '../current/groups.ts'

export interface EventName {
  name: 'snapshot' | 'delta'
  id: string
  nowMs: number
}

/** An event of the feed up to its first sensor. Sensors and sums are kept as JSON: only what changed is encoded again. */
export function toEventHead({ name, id, nowMs }: EventName): string {
  const fields = { time: toIsoTime(nowMs) } satisfies Partial<LiveEvent>
  return `id: ${id}\nevent: ${name}\ndata: {"time":${JSON.stringify(fields.time)},"sensors":[`
}

/** The rest behind the last sensor. */
export function toEventTail(groups: readonly Group[]): string {
  const zones = groups.filter(({ zone }) => zone !== null)
  const city = groups.filter(({ zone }) => zone === null)
  return `],"zones":${toJsonList(zones)},"city":${toJsonList(city)}}\n\n`
}

function toJsonList(groups: readonly Group[]): string {
  return `[${groups.map(({ json }) => json).join(',')}]`
}

/** Ids are `{run}-{tick}`; the run's part may hold a `-` itself. */
const EVENT_ID = /^([A-Za-z0-9_-]{1,64})-(\d{1,15})$/

export function toEventId(runId: string, sequence: number): string {
  return `${runId}-${sequence}`
}

/** Undefined for what was never an id of this feed's kind. */
export function parseEventId(id: string): { runId: string; sequence: number } | undefined {
  const [, runId, sequence] = EVENT_ID.exec(id) ?? []
  return runId === undefined || sequence === undefined ? undefined : { runId, sequence: Number(sequence) }
}
