import type { Clock } from '@pulso/model'
import type { CredentialScope } from '@pulso/stores'
import { createBucket, type Bucket } from './bucket.ts'
import { createLedger } from './ledger.ts'
import { BURST_SECONDS, type BrokerLimits } from './limits.ts'

/** What one sender may send a second, over all its connections. */
export interface Quota {
  readonly messages: Bucket | undefined
  readonly bytes: Bucket | undefined
}

export interface Quotas {
  /** The sender's quota; nothing where it has no bound. Each `enter` asks for one `leave`. */
  enter(username: string, scope: CredentialScope): Quota | undefined
  leave(username: string, scope: CredentialScope): void
}

/** A sensor's quota is its id's, whatever credential it comes with; a gateway has one of its own, usually none. */
export function createQuotas(limits: BrokerLimits, clock: Clock): Quotas {
  const createQuotaLedger = (messagesPerSecond: number, bytesPerSecond: number) =>
    createLedger<Quota>({
      create: () => {
        const nowMs = clock.now()
        return {
          messages: createBucket(messagesPerSecond, nowMs),
          bytes: createBucket(bytesPerSecond, nowMs),
        }
      },
      // By then every bucket is full again, and a new one says the same.
      keepMs: BURST_SECONDS * 1_000,
      maxAbsent: limits.rememberedSenders,
      clock,
    })
  const sensors = createQuotaLedger(limits.messagesPerSecond, limits.bytesPerSecond)
  const gateways = createQuotaLedger(limits.gatewayMessagesPerSecond, limits.gatewayBytesPerSecond)

  const placeOf = (username: string, scope: CredentialScope) =>
    scope.type === 'sensor' ? { ledger: sensors, key: scope.sensorId } : { ledger: gateways, key: username }

  return {
    enter(username, scope) {
      const { ledger, key } = placeOf(username, scope)
      const quota = ledger.enter(key)
      return quota.messages || quota.bytes ? quota : undefined
    },
    leave(username, scope) {
      const { ledger, key } = placeOf(username, scope)
      ledger.leave(key)
    },
  }
}
