import {
  AppError,
  toIsoTime,
  type QuarantinePage,
  type QuarantinePurged,
  type QuarantineSelection,
  type QuarantineTotals,
  type QuarantineTotalView,
  type QuarantineView,
} from '@pulso/model'
import type {
  QuarantineFilter,
  QuarantineQuery,
  QuarantineRegistry,
  QuarantineTotal,
  StoredQuarantineEntry,
} from '@pulso/stores'

/** So many are deleted in one transaction: ingest, which commits to the same file, waits for no longer than that takes. */
const PURGE_STEP = 1_000

/** A page of entries, newest first. */
export async function readQuarantinePage(
  registry: QuarantineRegistry,
  { limit, ...query }: QuarantineQuery,
): Promise<QuarantinePage> {
  // One more than asked for tells whether there is a next page.
  const entries = await registry.listQuarantine({ ...query, limit: limit + 1 })
  const page = entries.slice(0, limit)
  const next = entries.length > limit ? (page.at(-1)?.id ?? null) : null
  return { entries: page.map(toQuarantineView), next }
}

export async function readQuarantineTotals(
  registry: QuarantineRegistry,
  query: Parameters<QuarantineRegistry['listQuarantineTotals']>[0],
): Promise<QuarantineTotals> {
  const [totals, { entries, bytes, dropped }] = await Promise.all([
    registry.listQuarantineTotals(query),
    registry.countQuarantine(),
  ])
  return { totals: totals.map(toTotalView), entries, bytes, dropped }
}

/** One step of deleting what is selected; the first one settles what `through` is. */
export async function purgeQuarantineStep(
  registry: QuarantineRegistry,
  selection: QuarantineSelection,
): Promise<QuarantinePurged> {
  const through = selection.through ?? (await newestId(registry))
  const removed = await registry.purgeQuarantine(
    { ...toQuarantineFilter(selection), throughId: through },
    PURGE_STEP,
  )
  return { removed, next: removed < PURGE_STEP ? null : { through } }
}

export function toQuarantineFilter(selection: QuarantineSelection): QuarantineFilter {
  const { id, total, reason, sensor, receivedBefore, through } = selection
  return {
    ...(id !== undefined && { id }),
    ...(total !== undefined && { totalId: total }),
    ...(reason !== undefined && { reason }),
    ...(sensor !== undefined && { sensorId: sensor }),
    ...(receivedBefore !== undefined && { receivedBeforeMs: Date.parse(receivedBefore) }),
    ...(through !== undefined && { throughId: through }),
  }
}

export async function newestId(registry: QuarantineRegistry): Promise<number> {
  const [newest] = await registry.listQuarantine({ limit: 1 })
  return newest?.id ?? 0
}

/** @throws AppError `unknown-entry` (404) */
export async function readQuarantineEntry(registry: QuarantineRegistry, id: number): Promise<QuarantineView> {
  const [entry] = await registry.listQuarantine({ id, limit: 1 })
  if (entry) return toQuarantineView(entry)
  const gone = `There is no entry ${id} in quarantine: it was replayed, deleted or dropped, or never was`
  throw new AppError('unknown-entry', gone, { status: 404 })
}

function toQuarantineView(entry: StoredQuarantineEntry): QuarantineView {
  const { id, receivedAtMs, reason, detail, topic, sensorId, metric, payload } = entry
  const text = new TextDecoder().decode(payload)
  return {
    id,
    receivedAt: toIsoTime(receivedAtMs),
    reason,
    detail,
    topic,
    sensor: sensorId,
    metric,
    payload: text,
    hex: isText(payload) ? null : Buffer.from(payload).toString('hex'),
  }
}

function toTotalView({ sample, ...total }: QuarantineTotal): QuarantineTotalView {
  const { id, reason, sensorId, metric, count, kept, firstReceivedAtMs, lastReceivedAtMs } = total
  return {
    id,
    reason,
    sensor: sensorId,
    metric,
    count,
    kept,
    firstReceivedAt: toIsoTime(firstReceivedAtMs),
    lastReceivedAt: toIsoTime(lastReceivedAtMs),
    sample: { ...sample, payload: new TextDecoder().decode(sample.payload) },
  }
}

function isText(payload: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(payload)
    return true
  } catch {
    return false
  }
}
