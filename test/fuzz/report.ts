/** How long to go on, and whom to tell. */
export interface FuzzOptions {
  seed: number
  goesOn(cases: number): boolean
  /** How many more there may be. */
  atMost(cases: number): number
  onProgress(cases: number): void
}

export interface FuzzReport {
  target: 'ingest' | 'sockets' | 'http'
  seed: number
  cases: number
  elapsedMs: number
  /** Each with what is needed to see it again. */
  faults: string[]
  /** Resident memory once it was warm, and at the end. */
  warmRssBytes?: number
  endRssBytes?: number
}

export function untilCases(wanted: number): Pick<FuzzOptions, 'goesOn' | 'atMost'> {
  return { goesOn: (cases) => cases < wanted, atMost: (cases) => wanted - cases }
}

export function untilSeconds(seconds: number): Pick<FuzzOptions, 'goesOn' | 'atMost'> {
  const endMs = performance.now() + seconds * 1_000
  return { goesOn: () => performance.now() < endMs, atMost: () => Number.MAX_SAFE_INTEGER }
}
