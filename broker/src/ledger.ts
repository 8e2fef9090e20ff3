import type { Clock } from '@pulso/model'

/** What is known of each sender: shared by its connections, and remembered for a while after the last has ended. */
export interface Ledger<T> {
  /** The sender's entry, made where there is none. Each `enter` asks for one `leave`. */
  enter(key: string): T
  leave(key: string): void
  /** Entries of senders that are here, and of those that are remembered. */
  size(): number
}

export interface LedgerOptions<T> {
  create: () => T
  /** How long an absent sender's entry counts. */
  keepMs: number
  /** Absent senders at most; the longest absent is forgotten first. */
  maxAbsent: number
  clock: Clock
}

/** Bounded by the open connections and `maxAbsent`; without timers, since it only grows when someone leaves. */
export function createLedger<T>({ create, keepMs, maxAbsent, clock }: LedgerOptions<T>): Ledger<T> {
  const present = new Map<string, { entry: T; users: number }>()
  /** In the order in which they left. */
  const absent = new Map<string, { entry: T; sinceMs: number }>()

  const forget = (nowMs: number): void => {
    for (const [key, { sinceMs }] of absent) {
      if (absent.size <= maxAbsent && nowMs - sinceMs < keepMs) return
      absent.delete(key)
    }
  }

  return {
    enter(key) {
      const known = present.get(key)
      if (known) {
        known.users++
        return known.entry
      }
      const entry = absent.get(key)?.entry ?? create()
      absent.delete(key)
      present.set(key, { entry, users: 1 })
      return entry
    },
    leave(key) {
      const known = present.get(key)
      if (!known) return
      known.users--
      if (known.users > 0) return
      present.delete(key)
      const nowMs = clock.now()
      absent.set(key, { entry: known.entry, sinceMs: nowMs })
      forget(nowMs)
    },
    size: () => present.size + absent.size,
  }
}
