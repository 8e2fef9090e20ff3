import type { Fields } from '../../../codec.ts'
import { createByteReader, type ByteReader } from '../byte-reader.ts'

/** A payload being read, with what is said about it on the way. */
export interface Input extends ByteReader {
  warnings: string[]
  errors: string[]
}

/** Reads one part of a payload. */
export type Part<T> = (input: Input) => T

export function createInput(bytes: Uint8Array): Input {
  return { ...createByteReader(bytes), warnings: [], errors: [] }
}

export const uint8: Part<number> = (input) => input.uint8()
export const int8: Part<number> = (input) => input.int8()
export const uint16: Part<number> = (input) => input.uint16()
export const int16: Part<number> = (input) => input.int16()
export const uint32: Part<number> = (input) => input.uint32()
export const int32: Part<number> = (input) => input.int32()

/** Named parts, one behind the other. */
export function fields(layout: Readonly<Record<string, Part<unknown>>>): Part<Fields> {
  const parts = Object.entries(layout)
  return (input) => {
    const result: Record<string, unknown> = {}
    for (const [name, read] of parts) result[name] = read(input)
    return result
  }
}

/** Groups of fields, one behind the other, in one object. */
export function sequence(...parts: readonly Part<Fields>[]): Part<Fields> {
  return (input) => {
    const result: Record<string, unknown> = {}
    for (const read of parts) Object.assign(result, read(input))
    return result
  }
}

/** One byte's bits by name, the lowest first; `null` passes one over. */
export function bits(...names: readonly (string | null)[]): Part<Record<string, boolean>> {
  return (input) => {
    const byte = input.uint8()
    const result: Record<string, boolean> = {}
    for (const [index, name] of names.entries()) if (name !== null) result[name] = ((byte >> index) & 1) === 1
    return result
  }
}

/** Parts whose presence the bits of a byte in front of them announce, the lowest first. */
export function announced(...parts: readonly Part<Fields>[]): Part<Fields> {
  return (input) => {
    const byte = input.uint8()
    const present = parts.filter((_, index) => ((byte >> index) & 1) === 1)
    return sequence(...present)(input)
  }
}

/** As many as there are up to the end. */
export function listOf<T>(read: Part<T>): Part<T[]> {
  return (input) => {
    const items: T[] = []
    while (input.left() > 0) items.push(read(input))
    return items
  }
}

/** As many as the first byte says. */
export function countedListOf<T>(read: Part<T>): Part<T[]> {
  return (input) => Array.from({ length: input.uint8() }, () => read(input))
}

/** Numbers of which some stand for a word. */
export function orWord(
  read: Part<number>,
  words: Readonly<Record<number, string | null>>,
): Part<number | string | null> {
  return (input) => {
    const value = read(input)
    const word = words[value]
    return word === undefined ? value : word
  }
}

/** A number that is written in parts of the unit. */
export function scaled(read: Part<number>, perUnit: number): Part<number> {
  return (input) => read(input) / perUnit
}

/** A byte that stands for one of some words. */
export function wordOf(words: Readonly<Record<number, string>>, otherwise: string): Part<string> {
  return (input) => {
    const word = words[input.uint8()]
    if (word === undefined) input.errors.push(otherwise)
    return word ?? otherwise
  }
}

/** Text in UTF-8 of a known length in bytes. */
export function toText(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes)
}

/** Parts by the first byte. */
export type PacketTable = Readonly<Record<number, Part<Fields>>>

/** A kind of packet: its name, then its parts. */
export function packet(type: string, ...parts: readonly Part<Fields>[]): Part<Fields> {
  const read = sequence(...parts)
  return (input) => ({ packet_type: type, ...read(input) })
}

/** @throws Error for a first byte that the table does not have */
export function byHeader(table: PacketTable): Part<Fields> {
  return (input) => {
    const header = input.uint8()
    const read = table[header]
    if (!read) throw new Error(`No packet begins with ${header}`)
    return read(input)
  }
}
