import { closeSync, fsyncSync, openSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/** A larger file is not kept: that would keep a start waiting for long, and is what a backup is for. */
const MAX_KEPT_BYTES = 1024 ** 3

/**
 * Keeps a file as it is before its schema is brought forward, as `{file}.v{version}.bak`, so that an older Pulso can be
 * gone back to. There is one at most: an older one goes. To be called by whoever holds the file's write lock.
 */
export function keepOlderSchema(file: string, version: number): void {
  if (statSync(file).size > MAX_KEPT_BYTES) return
  const kept = `${file}.v${version}.bak`
  const partial = `${kept}.partial`
  rmSync(partial, { force: true })
  // On a connection of its own: it reads what is committed, whatever the lock's holder has begun.
  const reader = new DatabaseSync(file, { readOnly: true, timeout: 5_000 })
  try {
    reader.prepare('VACUUM INTO ?').run(partial)
  } finally {
    reader.close()
  }
  const descriptor = openSync(partial, 'r')
  fsyncSync(descriptor)
  closeSync(descriptor)
  renameSync(partial, kept)

  const folder = dirname(file)
  for (const name of readdirSync(folder)) {
    const isOlder = name.startsWith(`${basename(file)}.v`) && /\.v\d+\.bak$/.test(name)
    if (isOlder && join(folder, name) !== kept) rmSync(join(folder, name))
  }
}
