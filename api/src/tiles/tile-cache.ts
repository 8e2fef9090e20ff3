import type { Clock } from '@pulso/model'

/** A tile as it is sent. */
export interface EncodedTile {
  plain: Buffer
  gzipped: Buffer
}

export interface BuiltTile {
  /** Holds until its part of the city changes; other tiles hold for a moment. */
  isLasting: boolean
  /** `undefined` when there is nothing in it. */
  tile: EncodedTile | undefined
}

export interface TileCache {
  /**
   * The tile, built when none is kept that still holds; callers of the same moment share one build.
   * @param key everything that the tile was asked for with
   */
  get(
    key: string,
    options: { version: number; build: () => Promise<BuiltTile> },
  ): Promise<BuiltTile & { ageMs: number }>
}

/** A city's map at all zooms, several times over. Beyond either bound the tile that was unused longest goes. */
const MAX_TILES = 4_096
const MAX_BYTES = 64 * 1024 * 1024

interface Kept {
  version: number
  builtAtMs: number
  built: Promise<BuiltTile>
  /** Known once it is built. */
  isLasting: boolean
  bytes: number
}

export function createTileCache({
  clock,
  countsMaxAgeMs,
}: {
  clock: Clock
  countsMaxAgeMs: number
}): TileCache {
  // A Map keeps the order in which keys came, so the first is the one unused longest.
  const tiles = new Map<string, Kept>()
  let bytes = 0

  const remove = (key: string, kept: Kept): void => {
    if (tiles.get(key) !== kept) return
    tiles.delete(key)
    bytes -= kept.bytes
  }

  const shrink = (): void => {
    for (const [key, kept] of tiles) {
      if (tiles.size <= MAX_TILES && bytes <= MAX_BYTES) return
      remove(key, kept)
    }
  }

  const add = (key: string, version: number, build: () => Promise<BuiltTile>): Kept => {
    const kept: Kept = { version, builtAtMs: clock.now(), built: build(), isLasting: false, bytes: 0 }
    tiles.set(key, kept)
    kept.built.then(
      ({ isLasting, tile }) => {
        kept.isLasting = isLasting
        if (tiles.get(key) !== kept) return
        kept.bytes = tile ? tile.plain.length + tile.gzipped.length : 0
        bytes += kept.bytes
        shrink()
      },
      // Whoever asked for it is told; the next one asks anew.
      () => remove(key, kept),
    )
    return kept
  }

  return {
    async get(key, { version, build }) {
      let kept = tiles.get(key)
      if (kept && !holds(kept, version, clock.now() - kept.builtAtMs < countsMaxAgeMs)) {
        remove(key, kept)
        kept = undefined
      }
      if (kept) {
        tiles.delete(key)
        tiles.set(key, kept)
      }
      kept ??= add(key, version, build)
      const built = await kept.built
      return { ...built, ageMs: clock.now() - kept.builtAtMs }
    },
  }
}

/** A tile of counts may be a moment old; one of places must be of the same places. */
function holds(kept: Kept, version: number, isYoung: boolean): boolean {
  return kept.isLasting ? kept.version === version : isYoung
}
