import type { QuarantineSelection, QuarantineTotals } from '@pulso/model'
import type { OpsApi } from './ops-api.ts'
import { createPolled, type Polled } from './polled.svelte.ts'
import { appendOlder, MAX_ENTRIES, mergeNewest, type QuarantineList } from './quarantine-list.ts'
import { createQuarantineWork, type QuarantineWork } from './quarantine-work.svelte.ts'

const PAGE_SIZE = 50
const INTERVAL_MS = 4_000

export interface Quarantine extends Pick<Polled<unknown>, 'error' | 'start' | 'stop' | 'now'> {
  readonly list: QuarantineList | null
  readonly isLoadingOlder: boolean
  readonly isFull: boolean
  /** Null is every reason. */
  reason: string | null
  /** Null is every sensor. */
  sensor: string | null
  /** A row of the totals; null is all of them. */
  total: number | null
  /** Reason and sensor as what to replay or delete. */
  readonly selection: QuarantineSelection
  /** How often what went wrong. Asked for while somebody looks at it: start and stop it. */
  readonly totals: Polled<QuarantineTotals>
  readonly work: QuarantineWork
  loadOlder(): Promise<void>
}

/** What was kept aside, newest first: the newest are asked for again and again, older ones when somebody wants them. */
export function createQuarantine(api: OpsApi, onUnauthorised: () => void): Quarantine {
  let list = $state.raw<QuarantineList | null>(null)
  let reason = $state<string | null>(null)
  let sensor = $state<string | null>(null)
  let total = $state<number | null>(null)
  let isLoadingOlder = $state(false)
  let olderError = $state.raw<unknown>(null)
  // Each change of the filters begins a new list; an answer to an older question must not reach it.
  let question = 0

  const chosen = () => ({ reason: reason ?? undefined, sensor: sensor ?? undefined })
  const filters = () => ({ ...chosen(), total: total ?? undefined, limit: PAGE_SIZE })
  const newest = createPolled({
    ask: () => api.quarantine(filters()),
    intervalMs: () => INTERVAL_MS,
    onUnauthorised,
    onAnswer: (page) => (list = mergeNewest(list, page)),
  })
  const totals = createPolled({
    ask: () => api.quarantineTotals(chosen()),
    intervalMs: () => INTERVAL_MS,
    onUnauthorised,
  })
  const begin = (): void => {
    question++
    list = null
    olderError = null
    newest.now()
    totals.now()
  }
  const work = createQuarantineWork(api, () => {
    // The row may have gone with its last entry.
    total = null
    begin()
  })

  return {
    get list() {
      return list
    },
    get isLoadingOlder() {
      return isLoadingOlder
    },
    get isFull() {
      return (list?.entries.length ?? 0) >= MAX_ENTRIES
    },
    get error() {
      return newest.error ?? olderError
    },
    get reason() {
      return reason
    },
    set reason(wanted) {
      if (wanted === reason) return
      reason = wanted
      total = null
      begin()
    },
    get sensor() {
      return sensor
    },
    set sensor(wanted) {
      if (wanted === sensor) return
      sensor = wanted
      // A reason chosen for all would hide what this one has.
      reason = null
      total = null
      begin()
    },
    get total() {
      return total
    },
    set total(wanted) {
      if (wanted === total) return
      total = wanted
      begin()
    },
    get selection() {
      return { ...(reason !== null && { reason }), ...(sensor !== null && { sensor }) } as QuarantineSelection
    },
    totals,
    work,
    async loadOlder() {
      const before = list
      if (isLoadingOlder || before?.next == null) return
      const asked = question
      isLoadingOlder = true
      try {
        const page = await api.quarantine({ ...filters(), before: before.next })
        // Newer entries may have come meanwhile: append to what is there now.
        if (asked === question && list) list = appendOlder(list, page)
        olderError = null
      } catch (error) {
        if (asked === question) olderError = error
      } finally {
        isLoadingOlder = false
      }
    },
    start: () => newest.start(),
    stop: () => newest.stop(),
    now: () => newest.now(),
  }
}
