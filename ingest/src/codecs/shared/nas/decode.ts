import type { DecodedUplink, Fields, Uplink } from '../../../codec.ts'
import { createInput, type Part } from './layout.ts'

/**
 * Reads a packet by its port.
 * @throws Error when nothing is known of it, or it is shorter or longer than its kind
 */
export function decodeByPort(
  { fPort, bytes }: Uplink,
  ports: Readonly<Record<number, Part<Fields>>>,
): DecodedUplink {
  const read = ports[fPort]
  if (!read) throw new Error(`Nothing is known of port ${fPort}`)
  const input = createInput(bytes)
  const data = read(input)
  if (input.left() > 0) throw new Error(`${input.left()} bytes are left behind the packet`)
  return { data, warnings: input.warnings, errors: input.errors }
}
