import { toIsoTime, type QuarantinePage, type QuarantineView } from '@pulso/model'
import type { StoredQuarantineEntry } from '@pulso/stores'

/** A page of entries, newest first, from a list that may hold one more than the page. */
export function toQuarantinePage(entries: readonly StoredQuarantineEntry[], limit: number): QuarantinePage {
  const page = entries.slice(0, limit)
  const next = entries.length > limit ? (page.at(-1)?.id ?? null) : null
  return { entries: page.map(toQuarantineView), next }
}

function toQuarantineView(entry: StoredQuarantineEntry): QuarantineView {
  const { id, receivedAtMs, reason, detail, topic, sensorId, metric, payload } = entry
  return {
    id,
    receivedAt: toIsoTime(receivedAtMs),
    reason,
    detail,
    topic,
    sensor: sensorId,
    metric,
    payload: new TextDecoder().decode(payload),
  }
}
