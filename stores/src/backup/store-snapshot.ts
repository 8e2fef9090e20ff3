/**
 * A store as it was at one moment, held while the store goes on: what is written meanwhile is not in it, and does not
 * wait for it. It costs the store disk (what it would have forgotten) until it is closed.
 */
export interface StoreSnapshot {
  readonly schemaVersion: number
  /** The journal's position that the store had come to. */
  readonly position: number
  /**
   * Writes all of it to a new file. Once for each snapshot.
   * @returns what it holds, by name, for people: `{ sensors: 12 }`
   */
  copyTo(file: string): Promise<Record<string, number>>
  /** Lets go of it; a copy under way fails. */
  close(): Promise<void>
}
