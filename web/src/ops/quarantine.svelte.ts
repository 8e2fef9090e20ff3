import type { OpsApi } from './ops-api.ts'
import { createPolled, type Polled } from './polled.svelte.ts'
import { appendOlder, MAX_ENTRIES, mergeNewest, type QuarantineList } from './quarantine-list.ts'

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
  loadOlder(): Promise<void>
}

/** What was kept aside, newest first: the newest are asked for again and again, older ones when somebody wants them. */
export function createQuarantine(api: OpsApi, onUnauthorised: () => void): Quarantine {
  let list = $state.raw<QuarantineList | null>(null)
  let reason = $state<string | null>(null)
  let sensor = $state<string | null>(null)
  let isLoadingOlder = $state(false)
  let olderError = $state.raw<unknown>(null)
  // Each change of the filters begins a new list; an answer to an older question must not reach it.
  let question = 0

  const filters = () => ({ reason: reason ?? undefined, sensor: sensor ?? undefined, limit: PAGE_SIZE })
  const newest = createPolled({
    ask: () => api.quarantine(filters()),
    intervalMs: () => INTERVAL_MS,
    onUnauthorised,
    onAnswer: (page) => (list = mergeNewest(list, page)),
  })
  const begin = (): void => {
    question++
    list = null
    olderError = null
    newest.now()
  }

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
      begin()
    },
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
