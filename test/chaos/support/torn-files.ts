import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import type { Random } from './random.ts'

/**
 * SQLite's write-ahead log (sqlite.org/fileformat2.html, section 4): a header of 32 bytes, then frames of 24 bytes and a page. A
 * frame belongs to the log while its salts are the header's; the commit that it ends says so in its header. What comes
 * behind the last commit was never part of anything that was acknowledged.
 */
const HEADER_BYTES = 32
const FRAME_HEADER_BYTES = 24

/** Where the last commit of a log ends; `undefined` without any. */
export function endOfLastCommit(wal: Buffer): number | undefined {
  if (wal.length < HEADER_BYTES) return undefined
  const pageBytes = wal.readUInt32BE(8)
  const salts = wal.subarray(16, 24)
  let end: number | undefined
  const frameBytes = FRAME_HEADER_BYTES + pageBytes
  for (let offset = HEADER_BYTES; offset + frameBytes <= wal.length; offset += frameBytes) {
    if (!wal.subarray(offset + 8, offset + 16).equals(salts)) break
    const databasePages = wal.readUInt32BE(offset + 4)
    if (databasePages > 0) end = offset + frameBytes
  }
  return end
}

/** Leaves behind the last commit of an SQLite log what a crash of the whole machine may leave there. */
export function tearSqliteWal(file: string, random: Random): string {
  if (!existsSync(file)) return `${file} is not there`
  const wal = readFileSync(file)
  const end = endOfLastCommit(wal)
  if (end === undefined) return `${file} holds no commit`
  const kept = wal.subarray(0, end)
  const tail = random.pick([
    // The rest never came to the disk.
    () => Buffer.alloc(0),
    // It came as it happened.
    () => random.bytes(random.between(1, Math.max(1, Math.min(wal.length - end, 40_000)))),
    // The first frame again, with the right salts and therefore a wrong checksum, cut anywhere.
    () => wal.subarray(HEADER_BYTES, HEADER_BYTES + random.between(1, end - HEADER_BYTES)),
    // The file was made longer, and filled later.
    () => Buffer.alloc(random.between(1, 20_000)),
    () => random.bytes(random.between(1, 20_000)),
  ])()
  writeFileSync(file, Buffer.concat([kept, tail]))
  return `${file}: ${wal.length - end} bytes behind the last commit became ${tail.length} others`
}

/** Leaves garbage behind the end of DuckDB's log: the beginning of a commit that did not come to its end. */
export function tearDuckdbWal(file: string, random: Random): string {
  if (!existsSync(file)) return `${file} is not there`
  const wal = readFileSync(file)
  if (wal.length === 0) return `${file} is empty`
  const tail = random.pick([
    () => Buffer.alloc(random.between(1, 20_000)),
    () => random.bytes(random.between(1, 20_000)),
    () => wal.subarray(0, random.between(1, wal.length)),
  ])()
  writeFileSync(file, Buffer.concat([wal, tail]))
  return `${file}: ${tail.length} bytes behind its end`
}
