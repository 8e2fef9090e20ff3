import { randomBytes, randomInt } from 'node:crypto'

/** 160 random bits, in characters that no shell and no client takes amiss. */
export function newSecret(): string {
  return randomBytes(20).toString('hex')
}

/** 100 random bits in characters that cannot be mistaken for one another when copied from a screen. */
export function newPassword(): string {
  const alphabet = '23456789abcdefghijkmnpqrstuvwxyz'
  const characters = Array.from({ length: 20 }, () => alphabet[randomInt(alphabet.length)] ?? '')
  return characters.join('').replace(/(.{5})(?=.)/g, '$1-')
}
