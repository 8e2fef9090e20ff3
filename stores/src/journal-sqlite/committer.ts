import type { DatabaseSync } from 'node:sqlite'
import type { Clock } from '@pulso/model'
import type { JournalStatus } from '../journal.ts'
import { inTransaction } from '../sqlite.ts'
import { stampBlock } from './block.ts'
import { createReceiveTimes } from './receive-times.ts'
import type { Room } from './room.ts'
import { SELECT_LAST_POSITION } from './schema.ts'

export interface CommitterOptions {
  database: DatabaseSync
  clock: Clock
  room: Room
  /** Positions go on behind this one at least: what the readers have already seen, should the file be an older one. */
  continueAfter: number
}

/** The messages of one group of a writer. */
export interface Block {
  data: Buffer
  /** When its first message came: it may have waited for room since. */
  arrivedAtMs: number
}

/** Writes blocks and forgets acknowledged ones: the only one that changes the journal's file. */
export interface Committer {
  readonly lastPosition: number
  /**
   * @param aheadBytes of blocks that go before it
   * @returns why the block has to wait; `null` when there is room for it
   */
  refuse(block: Block, aheadBytes: number): string | null
  /** One transaction for all of it. Throws what SQLite throws, with nothing changed. */
  commit(round: { blocks: readonly Block[]; acknowledge: number }): void
  status(): Omit<JournalStatus, 'full' | 'maxBytes'>
}

export function createCommitter({ database, clock, room, continueAfter }: CommitterOptions): Committer {
  renumber(database, continueAfter)
  const state = loadState(database)
  const receiveTimes = createReceiveTimes({ clock, untilMs: state.receivedUntilMs })

  const insert = database.prepare('INSERT INTO blocks VALUES (?, ?, ?, ?, ?)')
  const measure = database.prepare(
    'SELECT coalesce(sum(length(data)), 0) AS bytes FROM blocks WHERE first_position <= ?1 AND last_position <= ?1',
  )
  const remove = database.prepare('DELETE FROM blocks WHERE first_position <= ?1 AND last_position <= ?1')
  const setProgress = database.prepare(
    'UPDATE progress SET acknowledged_position = ?, received_until_ms = max(received_until_ms, ?)',
  )
  const selectOldest = database.prepare('SELECT received_at_ms FROM blocks ORDER BY first_position LIMIT 1')

  return {
    get lastPosition() {
      return state.lastPosition
    },
    refuse: ({ data }, aheadBytes) => room.refuse(data.length, state.bytes + aheadBytes),
    commit({ blocks, acknowledge }) {
      let { lastPosition, acknowledgedPosition, bytes } = state
      inTransaction(database, () => {
        // Never past the end: a position that is still to come must not be thrown away on arrival.
        const acknowledged = Math.min(acknowledge, lastPosition)
        if (acknowledged > acknowledgedPosition) {
          bytes -= Number(measure.get(acknowledged)?.bytes)
          remove.run(acknowledged)
          setProgress.run(acknowledged, receiveTimes.untilMs)
          acknowledgedPosition = acknowledged
        }
        for (const { data, arrivedAtMs } of blocks) {
          const atMs = receiveTimes.begin(arrivedAtMs)
          const count = stampBlock(data, receiveTimes.assign)
          insert.run(lastPosition + 1, lastPosition + count, atMs, receiveTimes.untilMs, data)
          lastPosition += count
          bytes += data.length
        }
      })
      for (const { data } of blocks) room.wrote(data.length)
      Object.assign(state, { lastPosition, acknowledgedPosition, bytes })
    },
    status() {
      const depth = state.lastPosition - state.acknowledgedPosition
      const oldest = depth > 0 ? selectOldest.get() : undefined
      return { depth, bytes: state.bytes, oldestReceivedAtMs: oldest ? Number(oldest.received_at_ms) : null }
    },
  }
}

interface State {
  lastPosition: number
  acknowledgedPosition: number
  bytes: number
  receivedUntilMs: number
}

function loadState(database: DatabaseSync): State {
  const progress = database.prepare('SELECT * FROM progress').get()
  const blocks = database
    .prepare(
      'SELECT coalesce(sum(length(data)), 0) AS bytes, coalesce(max(received_until_ms), 0) AS until FROM blocks',
    )
    .get()
  return {
    lastPosition: Number(database.prepare(SELECT_LAST_POSITION).get()?.last_position),
    acknowledgedPosition: Number(progress?.acknowledged_position),
    bytes: Number(blocks?.bytes),
    receivedUntilMs: Math.max(Number(progress?.received_until_ms), Number(blocks?.until)),
  }
}

/**
 * Moves a journal that ends before what its readers have already seen (a lost or older file) behind it: its new
 * messages would be taken for old ones otherwise. What it still holds is read again, which changes nothing.
 */
function renumber(database: DatabaseSync, continueAfter: number): void {
  inTransaction(database, () => {
    if (Number(database.prepare(SELECT_LAST_POSITION).get()?.last_position) >= continueAfter) return
    const acknowledged = Number(database.prepare('SELECT * FROM progress').get()?.acknowledged_position)
    const shift = continueAfter - acknowledged
    const move = database.prepare(
      'UPDATE blocks SET first_position = first_position + ?1, last_position = last_position + ?1 WHERE first_position = ?2',
    )
    // From the end, so that no block lands on one that has not moved yet.
    const firsts = database.prepare('SELECT first_position FROM blocks ORDER BY first_position DESC').all()
    for (const { first_position: first } of firsts) move.run(shift, Number(first))
    database.prepare('UPDATE progress SET acknowledged_position = ?').run(continueAfter)
  })
}
