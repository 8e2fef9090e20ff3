import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { AppError, messageOf } from '@pulso/model'

/**
 * What a broker may deliver again: the messages of which it is not certain that their acknowledgement has arrived, by
 * packet id. A message that comes again gets the receive time it had, so that a reading without a time of its own keeps
 * its identity. The window is written to a file before the journal is asked to keep, because after a crash nobody can
 * say whether it has: with the same time, keeping it twice stores it once.
 *
 * The file is not synced: it survives the end of the process, not of the machine's power.
 */
export interface Window {
  /** The last millisecond given out as a receive time, also by earlier processes. */
  readonly untilMs: number
  /** The message of this packet id, if it is this one. */
  find(id: number, digest: Buffer): WindowEntry | undefined
  /** Takes effect on disk with the next `flush`. */
  remember(id: number, entry: { digest: Buffer; receivedAtMs: number; untilMs: number }): void
  markKept(id: number, digest: Buffer): void
  /** The acknowledgement has left; it is confirmed by what `confirm` is told. */
  acknowledged(id: number): void
  /** Whether there is anything to ask the broker about. */
  hasAcknowledged(): boolean
  /** A connection begins: what earlier ones left open may come again over it. */
  carryOver(): void
  /** The broker had its time to send what it still holds: what has not come again was acknowledged. */
  forgetCarried(): void
  /** Begins a question to the broker about all acknowledged until now; null when there are none. */
  ask(): number | null
  /** The broker has answered this question, so it has taken what left before it. */
  confirm(question: number): void
  forget(id: number): void
  /** The broker has forgotten our session, and its packet ids begin anew. */
  clear(): void
  /** @throws AppError `source-window-unavailable` */
  flush(): void
  close(): void
}

export interface WindowEntry {
  receivedAtMs: number
  /** False also when it is not known: then it is to be kept again, with the same time. */
  isKept: boolean
}

const SLOTS = 65_536
/** Digest, receive time, last millisecond reserved. A slot without a digest is empty; its times still count. */
const SLOT_BYTES = 32
export const DIGEST_BYTES = 16
const RECEIVED_AT = 16
const UNTIL_AT = 24
/** In the place of a question: left open by an earlier connection. */
const CARRIED = 0xffff_ffff

/** @throws AppError `source-window-unavailable` */
export function openWindow(file: string): Window {
  const { descriptor, slots } = open(file)
  const kept = new Uint8Array(SLOTS)
  /** The question before which each id's acknowledgement left; 0 for none. */
  const askedWith = new Uint32Array(SLOTS)
  let acknowledgedIds: number[] = []
  let asked: { question: number; ids: number[] } | undefined
  let questions = 1
  let dirty: number[] = []
  let untilMs = findUntil(slots)

  const digestOf = (id: number): Buffer => slots.subarray(id * SLOT_BYTES, id * SLOT_BYTES + DIGEST_BYTES)

  const isEmpty = (id: number): boolean => slots.readDoubleLE(id * SLOT_BYTES) === 0

  const forget = (id: number): void => {
    digestOf(id).fill(0)
    kept[id] = 0
    askedWith[id] = 0
    dirty.push(id)
  }

  return {
    get untilMs() {
      return untilMs
    },
    find(id, digest) {
      if (!digestOf(id).equals(digest)) return undefined
      return { receivedAtMs: slots.readDoubleLE(id * SLOT_BYTES + RECEIVED_AT), isKept: kept[id] === 1 }
    },
    remember(id, entry) {
      const at = id * SLOT_BYTES
      entry.digest.copy(slots, at, 0, DIGEST_BYTES)
      slots.writeDoubleLE(entry.receivedAtMs, at + RECEIVED_AT)
      slots.writeDoubleLE(entry.untilMs, at + UNTIL_AT)
      untilMs = Math.max(untilMs, entry.untilMs)
      kept[id] = 0
      askedWith[id] = 0
      dirty.push(id)
    },
    markKept(id, digest) {
      if (digestOf(id).equals(digest)) kept[id] = 1
    },
    acknowledged(id) {
      askedWith[id] = questions
      acknowledgedIds.push(id)
    },
    hasAcknowledged: () => acknowledgedIds.length > 0,
    carryOver() {
      acknowledgedIds = []
      asked = undefined
      for (let id = 0; id < SLOTS; id++) askedWith[id] = isEmpty(id) ? 0 : CARRIED
    },
    forgetCarried() {
      for (let id = 0; id < SLOTS; id++) if (askedWith[id] === CARRIED) forget(id)
    },
    ask() {
      if (acknowledgedIds.length === 0) return null
      asked = { question: questions++, ids: acknowledgedIds }
      acknowledgedIds = []
      return asked.question
    },
    confirm(question) {
      if (asked?.question !== question) return
      // An id that has come with another message since then belongs to that one.
      for (const id of asked.ids) if (askedWith[id] === question) forget(id)
      asked = undefined
    },
    forget,
    clear() {
      for (let id = 0; id < SLOTS; id++) if (!isEmpty(id)) forget(id)
      acknowledgedIds = []
      asked = undefined
    },
    flush() {
      if (dirty.length === 0) return
      const ids = dirty.sort((one, other) => one - other)
      dirty = []
      try {
        writeRuns(descriptor, slots, ids)
      } catch (error) {
        throw unavailable(file, error)
      }
    },
    close: () => closeSync(descriptor),
  }
}

function open(file: string): { descriptor: number; slots: Buffer } {
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    const descriptor = openSync(file, constants.O_RDWR | constants.O_CREAT, 0o600)
    const slots = Buffer.alloc(SLOTS * SLOT_BYTES)
    // A file of another length is not ours, or was cut: nothing of it can be trusted.
    if (fstatSync(descriptor).size === slots.length) readSync(descriptor, slots, 0, slots.length, 0)
    else {
      ftruncateSync(descriptor, 0)
      ftruncateSync(descriptor, slots.length)
    }
    return { descriptor: descriptor, slots }
  } catch (error) {
    throw unavailable(file, error)
  }
}

function findUntil(slots: Buffer): number {
  let untilMs = 0
  for (let at = UNTIL_AT; at < slots.length; at += SLOT_BYTES)
    untilMs = Math.max(untilMs, slots.readDoubleLE(at))
  return untilMs
}

/** Packet ids mostly rise by one, so most of a chunk's slots lie next to each other. */
function writeRuns(descriptor: number, slots: Buffer, sortedIds: readonly number[]): void {
  let first = sortedIds[0] ?? 0
  let last = first
  const write = (): void => {
    const at = first * SLOT_BYTES
    writeSync(descriptor, slots, at, (last - first + 1) * SLOT_BYTES, at)
  }
  for (const id of sortedIds) {
    if (id > last + 1) {
      write()
      first = id
    }
    last = id
  }
  write()
}

function unavailable(file: string, cause: unknown): AppError {
  return new AppError('source-window-unavailable', `${file} cannot be used: ${messageOf(cause)}`, {
    cause,
    retryable: true,
    status: 503,
  })
}
