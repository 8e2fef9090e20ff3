/** Whether the address is this machine's own. */
export function isLoopback(address: string): boolean {
  const plain = withoutMapping(address)
  return plain === '::1' || plain.startsWith('127.')
}

/**
 * What counts as one address: an IPv4 address, or the /64 network of an IPv6 one, because whoever has one of those has
 * all of its addresses.
 */
export function toAddressKey(address: string): string {
  const plain = withoutMapping(address)
  if (!plain.includes(':')) return plain
  const [left = '', right] = plain.split('%', 1).join('').split('::')
  const head = left === '' ? [] : left.split(':')
  const tail = right === undefined || right === '' ? [] : right.split(':')
  // "::" stands for as many zeros as are missing from eight groups.
  const zeros = right === undefined ? 0 : 8 - head.length - tail.length
  const groups = [...head, ...Array.from({ length: Math.max(0, zeros) }, () => '0'), ...tail]
  return `${groups.slice(0, 4).join(':')}::/64`
}

/** An IPv4 address as IPv4, also where the system tells it in IPv6. */
function withoutMapping(address: string): string {
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address
}
