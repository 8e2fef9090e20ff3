/**
 * A sensor's number for programs that want one, like the features of a vector tile: the same text always gives the same
 * number, so it outlives restarts, restores and moves, and a page works it out of an id in the live feed by itself.
 * A hash of 53 bits, which is what a JavaScript number holds exactly: two of 100,000 ids meet with a chance of one in
 * two million, and whoever gives out numbers looks for it.
 * Both halves end in MurmurHash3's finaliser (Austin Appleby, public domain).
 */
export function toFeatureId(text: string): number {
  let low = 0x811c9dc5
  let high = 0x9e3779b9
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    low = Math.imul(low ^ code, 0x01000193)
    high = Math.imul(((high << 5) | (high >>> 27)) ^ code, 0x5bd1e995)
  }
  low = finalise(low ^ Math.imul(high, 0x27d4eb2f))
  high = finalise(high ^ text.length)
  return (high >>> 11) * 2 ** 32 + (low >>> 0)
}

function finalise(hash: number): number {
  let mixed = hash ^ (hash >>> 16)
  mixed = Math.imul(mixed, 0x85ebca6b)
  mixed ^= mixed >>> 13
  mixed = Math.imul(mixed, 0xc2b2ae35)
  return mixed ^ (mixed >>> 16)
}
