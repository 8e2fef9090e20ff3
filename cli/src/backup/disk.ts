import { createHash } from 'node:crypto'
import { closeSync, createReadStream, fsyncSync, openSync } from 'node:fs'
import { stat, statfs } from 'node:fs/promises'
import { AppError } from '@pulso/model'

/** What a file system needs beside the files themselves. */
const RESERVE_BYTES = 16 * 1024 * 1024

/** @throws AppError `disk-too-small` when the folder's disk has no room for so much */
export async function requireSpace(folder: string, neededBytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder)
  const freeBytes = bavail * bsize
  if (freeBytes >= neededBytes + RESERVE_BYTES) return
  throw new AppError(
    'disk-too-small',
    `${folder} has ${formatBytes(freeBytes)} free and this takes ${formatBytes(neededBytes + RESERVE_BYTES)}: name a folder on another disk`,
  )
}

/** Of those that exist. */
export async function sumBytes(files: readonly string[]): Promise<number> {
  const sizes = await Promise.all(
    files.map((file) =>
      stat(file).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  )
  return sizes.reduce((sum, size) => sum + size, 0)
}

/** SHA-256 in hex. */
export async function hashFile(file: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(file, { highWaterMark: 1024 * 1024 }))
    hash.update(chunk as Buffer)
  return hash.digest('hex')
}

/** Waits until a file, or the names in a folder, are on disk. */
export function syncToDisk(path: string): void {
  const descriptor = openSync(path, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  const index = bytes < 1_000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3))
  return `${(bytes / 1_000 ** index).toFixed(index === 0 ? 0 : 1)} ${units[index] ?? ''}`
}
