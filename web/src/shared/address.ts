/** A parameter of the page's address. */
export function readAddress(name: string): string | null {
  return new URLSearchParams(location.search).get(name)
}

/** Changes parameters of the page's address without a new entry in the history; null removes one. */
export function writeAddress(changes: Readonly<Record<string, string | null>>): void {
  const address = new URL(location.href)
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) address.searchParams.delete(name)
    else address.searchParams.set(name, value)
  }
  // Slashes and commas are allowed in a query; written plainly, a link stays readable.
  address.search = address.search.replaceAll('%2C', ',').replaceAll('%2F', '/')
  if (address.href !== location.href) history.replaceState(history.state, '', address)
}
