import type { KeptMessage } from '@pulso/stores'
import { refused, type Decoded } from './decoder.ts'
import { parseText } from './text.ts'

/** `online` or `offline`, as text. */
export function decodePresence({ payload }: KeptMessage): Decoded {
  if (payload.byteLength === 0) return refused('empty-payload', 'The payload is empty')
  const presence = parseText(payload.subarray(0, 64))?.trim()
  if (presence === 'online' || presence === 'offline') return { type: 'presence', presence }
  return refused('invalid-payload', "Presence must be the text 'online' or 'offline'")
}
