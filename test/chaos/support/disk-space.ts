import { spawnSync } from 'node:child_process'
import { closeSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'

/** A small file system in memory, which can be filled to its last byte. */
export interface SmallDisk {
  path: string
  /** Takes all space that is left. */
  fill(): void
  free(): void
  /** Unmounts it. */
  remove(): void
}

/** Why none can be made here, or false: mounting is for root, and not even for root in every container. */
export function skipWithoutMount(folder: string): string | false {
  if (process.getuid?.() !== 0) return 'mounting a small file system needs root'
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder])
  if (mounted.status !== 0) return 'this system lets nobody mount a file system'
  spawnSync('umount', [folder])
  return false
}

export function mountSmallDisk(path: string, sizeMb: number): SmallDisk {
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeMb}m,mode=700`, 'tmpfs', path])
  if (mounted.status !== 0) throw new Error(`mount failed: ${String(mounted.stderr)}`)
  const filler = join(path, 'filler')
  return {
    path,
    fill() {
      const file = openSync(filler, 'a')
      try {
        fillUp(file)
      } finally {
        closeSync(file)
      }
    },
    free: () => rmSync(filler, { force: true }),
    remove: () => void spawnSync('umount', ['--lazy', path]),
  }
}

function fillUp(file: number): void {
  for (let block = Buffer.alloc(1 << 20); block.length > 0;) {
    try {
      writeSync(file, block)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
      block = block.subarray(0, block.length >> 1)
    }
  }
}
