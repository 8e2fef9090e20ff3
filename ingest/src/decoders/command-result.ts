import type { Decoded } from './decoder.ts'

/** Nothing sends commands yet, so no answer to one can be expected: it is taken, counted, and changes nothing. */
export function decodeCommandResult(): Decoded {
  return { type: 'nothing' }
}
