import { createHash, timingSafeEqual } from 'node:crypto'

/** SHA-256 in hex. A device's secret is random, so a slow hash would only cost reconnecting devices their time. */
export function hashSecret(secret: string | Uint8Array): string {
  return createHash('sha256').update(secret).digest('hex')
}

/** Compares two hashes in a time that does not tell where they differ. */
export function equalHashes(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)]
  return left.length === right.length && timingSafeEqual(left, right)
}
