import { toAppError, type AppError } from '@pulso/model'
import type { JournalReader } from '@pulso/stores'

export interface AcknowledgerOptions {
  journal: JournalReader
  /** The first of several in a row. */
  onFailure: (error: AppError) => void
  onRecovery: () => void
}

/**
 * Tells the journal what it may forget. When it cannot (its disk is full), ingest goes on: the stores know their
 * position, so nothing comes twice, and the next time tells it everything.
 */
export interface Acknowledger {
  upTo(position: number): Promise<void>
  /** Once more, if the last time failed. */
  catchUp(): Promise<void>
}

export function createAcknowledger({ journal, onFailure, onRecovery }: AcknowledgerOptions): Acknowledger {
  let stored = 0
  let isFailing = false
  const tell = async (): Promise<void> => {
    try {
      await journal.acknowledge(stored)
    } catch (error) {
      if (!isFailing) onFailure(toAppError(error))
      isFailing = true
      return
    }
    if (isFailing) onRecovery()
    isFailing = false
  }
  return {
    async upTo(position) {
      stored = position
      await tell()
    },
    async catchUp() {
      if (isFailing) await tell()
    },
  }
}
