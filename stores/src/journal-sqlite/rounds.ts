import { AppError, messageOf } from '@pulso/model'
import type { Committer } from './committer.ts'
import type { ReaderMethods, WriterAnswer } from './protocol.ts'

/** Collects what writers and readers ask for while a commit is under way, and commits it together. */
export interface Rounds {
  append: (block: Buffer, done: (answer: WriterAnswer) => void) => void
  reader: ReaderMethods
  /** Commits what is waiting, at once. */
  finish(): void
}

interface PendingBlock {
  block: Buffer
  done: (answer: WriterAnswer) => void
}

interface Acknowledgement {
  position: number
  resolve: () => void
  reject: (error: AppError) => void
}

interface Round {
  blocks: readonly PendingBlock[]
  acknowledgements: readonly Acknowledgement[]
}

/** Where nobody tries again, a failure must not stand for ever: it may be over, and only a try would tell. */
const FAILURE_HOLDS_MS = 30_000

export function createRounds(committer: Committer): Rounds {
  let blocks: PendingBlock[] = []
  let acknowledgements: Acknowledgement[] = []
  let waiting: { after: number; resolve: () => void }[] = []
  let isScheduled = false
  /** Why the newest messages could not be kept; gone as soon as some are. */
  let failure: { message: string; atMs: number } | undefined

  const refuseBlock = ({ done }: PendingBlock, message: string): void => {
    failure = { message, atMs: performance.now() }
    done({ kept: false, message })
  }

  const refuseRound = (round: Round, error: unknown): void => {
    const message = `The journal could not write to its file: ${messageOf(error)}`
    for (const pending of round.blocks) refuseBlock(pending, message)
    for (const { reject } of round.acknowledgements) {
      reject(new AppError('journal-failed', message, { retryable: true, status: 503, cause: error }))
    }
  }

  // After the loop's other messages: what has arrived by then shares the commit.
  const schedule = (): void => {
    if (!isScheduled) setImmediate(commitRound)
    isScheduled = true
  }

  const commitRound = (): void => {
    isScheduled = false
    const round = { blocks, acknowledgements }
    blocks = []
    acknowledgements = []
    if (round.blocks.length === 0 && round.acknowledgements.length === 0) return
    try {
      const acknowledge = Math.max(0, ...round.acknowledgements.map(({ position }) => position))
      committer.commit({ blocks: round.blocks.map(({ block }) => block), acknowledge })
    } catch (error) {
      refuseRound(round, error)
      return
    }
    if (round.blocks.length > 0) failure = undefined
    for (const { done } of round.blocks) done({ kept: true })
    for (const { resolve } of round.acknowledgements) resolve()
    const isReady = ({ after }: { after: number }): boolean => after < committer.lastPosition
    for (const { resolve } of waiting.filter(isReady)) resolve()
    waiting = waiting.filter((waiter) => !isReady(waiter))
  }

  return {
    append(block, done) {
      try {
        committer.checkSpace(block.length)
      } catch (error) {
        refuseBlock({ block, done }, messageOf(error))
        return
      }
      blocks.push({ block, done })
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
      status: () => committer.status(),
      check() {
        if (failure && performance.now() - failure.atMs < FAILURE_HOLDS_MS)
          throw new AppError('journal-failed', failure.message, { retryable: true, status: 503 })
      },
    },
    finish: commitRound,
  }
}
