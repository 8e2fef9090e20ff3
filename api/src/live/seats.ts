import { AppError, isLoopback, toAddressKey } from '@pulso/model'
import type { ApiLimits } from '../limits.ts'

/** The feed's places: so many in all, and so many of one address, so that nobody can take them all. */
export interface Seats {
  /**
   * Takes a place; the key gives it back.
   * @throws AppError `too-many-live-clients` (503), `too-many-live-clients-of-address` (429)
   */
  take(address: string): string | undefined
  leave(key: string | undefined): void
  readonly taken: number
}

export function createSeats({
  liveClients,
  liveClientsPerAddress,
}: Pick<ApiLimits, 'liveClients' | 'liveClientsPerAddress'>): Seats {
  const byAddress = new Map<string, number>()
  let taken = 0
  return {
    take(address) {
      if (taken >= liveClients)
        throw new AppError('too-many-live-clients', 'The live feed is full; try again in a minute', {
          status: 503,
        })
      // Behind a proxy on this machine that names nobody else, all readers are of this machine.
      const key = isLoopback(address) || liveClientsPerAddress === 0 ? undefined : toAddressKey(address)
      if (key !== undefined) {
        const count = byAddress.get(key) ?? 0
        if (count >= liveClientsPerAddress)
          throw new AppError(
            'too-many-live-clients-of-address',
            `From one address ${liveClientsPerAddress} live feeds may be open at once; close one before opening another`,
            { status: 429 },
          )
        byAddress.set(key, count + 1)
      }
      taken += 1
      return key
    },
    leave(key) {
      taken -= 1
      if (key === undefined) return
      const count = (byAddress.get(key) ?? 0) - 1
      if (count > 0) byAddress.set(key, count)
      else byAddress.delete(key)
    },
    get taken() {
      return taken
    },
  }
}
