import { AppError } from '@pulso/model'

export interface Slots {
  /**
   * Takes a place, for as long as an export lasts.
   * @returns gives it back; may be called again
   * @throws AppError `exports-busy` (503)
   */
  take(address: string): () => void
  taken(): number
}

/** How many exports there may be at once: in all, and for one address, so that nobody takes them all. */
export function createSlots({
  all,
  perAddress,
  onRefused,
}: {
  all: number
  perAddress: number
  onRefused: () => void
}): Slots {
  const byAddress = new Map<string, number>()
  let taken = 0
  return {
    taken: () => taken,
    take(address) {
      const own = byAddress.get(address) ?? 0
      if (taken >= all || own >= perAddress) {
        onRefused()
        const message =
          own >= perAddress
            ? `There are ${own} downloads for your address under way already; wait until one of them has ended`
            : 'Several downloads are under way already; please try again in half a minute'
        throw new AppError('exports-busy', message, { status: 503 })
      }
      taken += 1
      byAddress.set(address, own + 1)
      let isTaken = true
      return () => {
        if (!isTaken) return
        isTaken = false
        taken -= 1
        const rest = (byAddress.get(address) ?? 1) - 1
        if (rest > 0) byAddress.set(address, rest)
        else byAddress.delete(address)
      }
    },
  }
}
