import { AppError, messageOf } from '@pulso/model'
import { isDiskFull } from '../sqlite.ts'
import type { Block, Committer } from './committer.ts'
import type { ReaderMethods, WriterAnswer } from './protocol.ts'
import { UNTRUSTWORTHY, type Upkeep } from './upkeep.ts'

/** Collects what writers and readers ask for while a commit is under way, and commits it together. */
export interface Rounds {
  append: (block: Block, done: (answer: WriterAnswer) => void) => void
  reader: ReaderMethods
  /** Commits what is waiting and finds room, at once, and refuses the rest. */
  finish(): void
}

export interface RoundsOptions {
  committer: Committer
  maxBytes: number
  upkeep: Upkeep
  /** It takes no messages any more, or again (`null`). */
  onFull: (reason: string | null) => void
}

interface PendingBlock {
  block: Block
  /** Its writer knows that it waits for room. */
  isHeld: boolean
  done: (answer: WriterAnswer) => void
}

interface Acknowledgement {
  position: number
  resolve: () => void
  reject: (error: AppError) => void
}

interface Round {
  blocks: PendingBlock[]
  acknowledgements: readonly Acknowledgement[]
}

/** Where nobody tries again, a failure must not stand for ever: it may be over, and only a try would tell. */
const FAILURE_HOLDS_MS = 30_000

/** How often it looks for room that comes without an acknowledgement: somebody else has given disk back. */
const LOOK_FOR_ROOM_MS = 1_000

export function createRounds({ committer, maxBytes, upkeep, onFull }: RoundsOptions): Rounds {
  let blocks: PendingBlock[] = []
  let acknowledgements: Acknowledgement[] = []
  let waiting: { after: number; resolve: () => void }[] = []
  let isScheduled = false
  let lookAgain: NodeJS.Timeout | undefined
  /** Why the newest messages could not be kept; gone as soon as some are. */
  let failure: { message: string; atMs: number } | undefined
  /** Why blocks wait. */
  let full: string | null = null

  const setFull = (reason: string | null): void => {
    const isNews = (full === null) !== (reason === null)
    full = reason
    if (isNews) onFull(reason)
  }

  // After the loop's other messages: what has arrived by then shares the commit.
  const schedule = (): void => {
    if (!isScheduled) setImmediate(commitRound)
    isScheduled = true
  }

  /** Senders are not refused for want of room: they wait, and their senders with them. */
  const hold = (held: PendingBlock[], reason: string): void => {
    blocks = [...held, ...blocks]
    setFull(reason)
    for (const pending of held) {
      if (!pending.isHeld) pending.done({ held: reason })
      pending.isHeld = true
    }
    lookAgain ??= setTimeout(() => {
      lookAgain = undefined
      schedule()
    }, LOOK_FOR_ROOM_MS)
  }

  /** Those at the front that find room; in the order they came, so that a large one does not wait for ever. */
  const takeFitting = (): PendingBlock[] => {
    let bytes = 0
    for (const [index, { block }] of blocks.entries()) {
      const reason = committer.refuse(block, bytes)
      if (reason !== null) {
        const fitting = blocks.slice(0, index)
        const held = blocks.slice(index)
        blocks = []
        hold(held, reason)
        return fitting
      }
      bytes += block.data.length
    }
    const fitting = blocks
    blocks = []
    return fitting
  }

  const fail = (message: string): void => {
    failure = { message, atMs: performance.now() }
  }

  const refuseRound = (round: Round, error: unknown): void => {
    const message = `The journal could not write to its file: ${messageOf(error)}`
    if (round.blocks.length > 0) fail(message)
    for (const { done } of round.blocks) done({ kept: false, message })
    for (const { reject } of round.acknowledgements) {
      reject(new AppError('journal-failed', message, { retryable: true, status: 503, cause: error }))
    }
  }

  const commit = (round: Round): void => {
    const acknowledge = Math.max(0, ...round.acknowledgements.map(({ position }) => position))
    committer.commit({ blocks: round.blocks.map(({ block }) => block), acknowledge })
    if (round.blocks.length > 0) {
      failure = undefined
      if (blocks.length === 0) setFull(null)
    }
    for (const { done } of round.blocks) done({ kept: true })
    for (const { resolve } of round.acknowledgements) resolve()
    const isReady = ({ after }: { after: number }): boolean => after < committer.lastPosition
    for (const { resolve } of waiting.filter(isReady)) resolve()
    waiting = waiting.filter((waiter) => !isReady(waiter))
    if (blocks.length > 0 && round.acknowledgements.length > 0) schedule()
  }

  /** What was committed stays in the log whatever happens here, but the log grows meanwhile, so it is said. */
  const tidy = (work: () => void): void => {
    try {
      work()
    } catch (error) {
      if (error instanceof AppError && error.code === UNTRUSTWORTHY) throw error
      // The file could not be made longer: the log keeps its messages, and new ones wait for room anyway.
      if (!isDiskFull(error)) fail(`The journal could not tidy up its file: ${messageOf(error)}`)
    }
  }

  /** The disk is full: what only frees space may still find the little that it needs. */
  const commitWithoutDisk = (round: Round, error: unknown): void => {
    hold(round.blocks, `The disk is full: ${messageOf(error)}`)
    const release = { blocks: [], acknowledgements: round.acknowledgements }
    if (release.acknowledgements.length === 0) return
    tidy(() => upkeep.move())
    try {
      commit(release)
    } catch (second) {
      refuseRound(release, second)
    }
  }

  const commitRound = (): void => {
    isScheduled = false
    const round: Round = { blocks: takeFitting(), acknowledgements }
    acknowledgements = []
    if (round.blocks.length === 0 && round.acknowledgements.length === 0) return
    try {
      commit(round)
    } catch (error) {
      if (isDiskFull(error)) commitWithoutDisk(round, error)
      else refuseRound(round, error)
      return
    }
    const wroteBytes = round.blocks.reduce((sum, { block }) => sum + block.data.length, 0)
    tidy(() => upkeep.afterRound({ wroteBytes, isEmpty: committer.status().depth === 0 }))
  }

  return {
    append(block, done) {
      blocks.push({ block, isHeld: false, done })
      schedule()
    },
    reader: {
      waitFor: (after) =>
        new Promise((resolve) => {
          if (after < committer.lastPosition) resolve()
          else waiting.push({ after, resolve })
        }),
      acknowledge: (position) =>
        new Promise((resolve, reject) => {
          acknowledgements.push({ position, resolve, reject })
          schedule()
        }),
      status: () => ({ ...committer.status(), maxBytes, full }),
      check() {
        if (failure && performance.now() - failure.atMs < FAILURE_HOLDS_MS)
          throw new AppError('journal-failed', failure.message, { retryable: true, status: 503 })
        if (full !== null)
          throw new AppError('journal-full', `The journal takes no messages: ${full}`, {
            retryable: true,
            status: 503,
          })
      },
    },
    finish() {
      commitRound()
      clearTimeout(lookAgain)
      for (const { done } of blocks)
        done({ kept: false, message: `The journal was closed while full: ${full ?? ''}` })
      blocks = []
    },
  }
}
