/** What the page remembers on this device. Private windows and strict settings refuse it: then nothing is remembered. */
export function readStored(name: string): string | null {
  try {
    return localStorage.getItem(`pulso.${name}`)
  } catch {
    return null
  }
}

export function store(name: string, value: string): void {
  try {
    localStorage.setItem(`pulso.${name}`, value)
  } catch {
    // Refused: the choice holds until the page is closed.
  }
}
