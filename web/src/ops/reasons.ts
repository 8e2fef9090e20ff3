import { opsMessages, type OpsKey } from './texts.ts'

/** The words for a reason, or undefined for one that a newer box knows and this page does not: then it is shown as it is. */
export function toReasonKey(reason: string): OpsKey | undefined {
  const key = `reasons.${reason}`
  return isKey(key) ? key : undefined
}

function isKey(key: string): key is OpsKey {
  return Object.hasOwn(opsMessages.en, key)
}
