import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto'

interface Cost {
  N: number
  r: number
  p: number
}

/** 32 MB and about a quarter of a second: slow enough for a thief, fast enough for a login. */
const COST: Cost = { N: 32_768, r: 8, p: 3 }
const SALT_BYTES = 16
const HASH_BYTES = 32
/** A hash that asks for more than this was not made by us. */
const MAX_MEMORY_BYTES = 256 * 1024 * 1024

/** scrypt, in the form `scrypt$N$r$p$salt$hash` (base64). */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES)
  const hash = await derive(password, salt, COST)
  return ['scrypt', COST.N, COST.r, COST.p, salt.toString('base64'), hash.toString('base64')].join('$')
}

/**
 * Whether the password is the one that was hashed. Without a hash (an operator that does not exist) it takes as long
 * and says no, so that time does not tell who exists.
 */
export async function verifyPassword(password: string, passwordHash: string | undefined): Promise<boolean> {
  const known = passwordHash === undefined ? undefined : parseHash(passwordHash)
  const hash = await derive(password, known?.salt ?? Buffer.alloc(SALT_BYTES), known?.cost ?? COST)
  return known !== undefined && timingSafeEqual(hash, known.hash)
}

function parseHash(text: string): { salt: Buffer; hash: Buffer; cost: Cost } | undefined {
  const [scheme, N, r, p, salt = '', hash = ''] = text.split('$')
  const cost = { N: Number(N), r: Number(r), p: Number(p) }
  const parsed = { salt: Buffer.from(salt, 'base64'), hash: Buffer.from(hash, 'base64'), cost }
  const isOurs = scheme === 'scrypt' && parsed.hash.length === HASH_BYTES && isSane(cost)
  return isOurs ? parsed : undefined
}

function isSane({ N, r, p }: Cost): boolean {
  const areCounts = [N, r, p].every((count) => Number.isInteger(count) && count > 0)
  return areCounts && Number.isInteger(Math.log2(N)) && N > 1 && p <= 16 && 128 * N * r <= MAX_MEMORY_BYTES
}

/** The same password typed on another keyboard may arrive composed differently: NFKC makes them equal. */
function derive(password: string, salt: Buffer, cost: Cost): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  const settings = { ...cost, maxmem: 2 * MAX_MEMORY_BYTES }
  scrypt(password.normalize('NFKC'), salt, HASH_BYTES, settings, (error, hash) => {
    if (error) reject(error)
    else resolve(hash)
  })
  return promise
}
