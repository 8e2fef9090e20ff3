import type { Clock } from '@pulso/model'
import { openJournalSnapshot, openRegistrySnapshot } from './sqlite-snapshot.ts'
import type { StoreSnapshot } from './store-snapshot.ts'

export interface CopyStoresOptions {
  source: { journalFile: string; registryFile: string }
  /** `null` where the readings live in a server with a backup of its own. */
  openReadingsSnapshot(): Promise<StoreSnapshot | null>
  /** New files, in a folder that exists. */
  target: StoreFiles
  /** Keeps the journal from forgetting until what it returns is called. */
  hold(): () => void
  clock: Clock
}

export interface StoreFiles {
  journalFile: string
  registryFile: string
  readingsFile: string
}

export interface CopiedStore {
  schemaVersion: number
  /** The journal's position that it had come to. */
  position: number
  /** What it holds, by name. */
  counts: Record<string, number>
}

/** What was copied, and how far it goes. */
export interface CopiedStores {
  /** Everything that was acknowledged before this moment is in the copies. */
  untilMs: number
  /** How long the journal was held. */
  heldMs: number
  journal: CopiedStore
  registry: CopiedStore
  readings: CopiedStore | null
}

/**
 * Copies the stores as they are together, while they are used: what the copies hold is what a crash at this moment
 * would have left. The snapshots are taken in the order in which ingest commits turned round, while the journal forgets
 * nothing. So the readings are at the registry's position or ahead of it, never behind, and the journal has every
 * message from the registry's position on. That a start works from there is ingest's own promise.
 * @throws AppError `journal-unavailable`, `registry-unavailable`, `readings-unavailable`
 */
export async function copyStores(options: CopyStoresOptions): Promise<CopiedStores> {
  const { source, target, clock } = options
  await using snapshots = new AsyncDisposableStack()
  const take = <T extends StoreSnapshot | null>(snapshot: T): T => {
    if (snapshot) snapshots.defer(() => snapshot.close())
    return snapshot
  }

  const release = options.hold()
  const startedMs = performance.now()
  const untilMs = clock.now()
  let taken
  try {
    const registry = take(openRegistrySnapshot(source.registryFile))
    const readings = take(await options.openReadingsSnapshot())
    const journal = take(openJournalSnapshot(source.journalFile))
    taken = { journal, registry, readings }
  } finally {
    release()
  }
  const heldMs = performance.now() - startedMs

  const copy = async (snapshot: StoreSnapshot, file: string): Promise<CopiedStore> => {
    const { schemaVersion, position } = snapshot
    const counts = await snapshot.copyTo(file)
    await snapshot.close()
    return { schemaVersion, position, counts }
  }
  // One after the other, and the small ones first: the journal's file grows for as long as it is held.
  const journal = await copy(taken.journal, target.journalFile)
  const registry = await copy(taken.registry, target.registryFile)
  const readings = taken.readings && (await copy(taken.readings, target.readingsFile))
  return { untilMs, heldMs, journal, registry, readings }
}
