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

export function createRounds(committer: Committer): Rounds {
  let blocks: PendingBlock[] = []
  let acknowledgements: Acknowledgement[] = []
  let waiting: { after: number; resolve: () => void }[] = []
  let isScheduled = false

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
      refuse(round, error)
      return
    }
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
        done({ kept: false, message: messageOf(error) })
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
    },
    finish: commitRound,
  }
}

function refuse(
  round: { blocks: readonly PendingBlock[]; acknowledgements: readonly Acknowledgement[] },
  error: unknown,
): void {
  const message = `The journal could not write to its file: ${messageOf(error)}`
  for (const { done } of round.blocks) done({ kept: false, message })
  for (const { reject } of round.acknowledgements) {
    reject(new AppError('journal-failed', message, { retryable: true, status: 503, cause: error }))
  }
}
