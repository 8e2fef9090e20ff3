import { isSensorId, parseTopic, TOPIC_ROOT, UP_CHANNELS } from '@pulso/model'
import type { CredentialScope } from '@pulso/stores'

export type PublishRefusal = 'wrong-topic' | 'not-allowed'

const UP: ReadonlySet<string> = new Set(UP_CHANNELS)

/** Why the scope may not publish to this topic; `undefined` when it may. The kind is not judged here but in ingest. */
export function refusePublish(scope: CredentialScope, topic: string): PublishRefusal | undefined {
  const parts = parseTopic(topic)
  if (!parts || !UP.has(parts.channel)) return 'wrong-topic'
  return speaksFor(scope, parts.sensorId) ? undefined : 'not-allowed'
}

/**
 * Whether the scope may subscribe to this filter: commands of its own sensors alone. The kind may be `+`, since sensor
 * ids are unique across kinds; the sensor may be `+` only for a gateway of every sensor, because a wildcard cannot be
 * held to a prefix.
 */
export function maySubscribe(scope: CredentialScope, filter: string): boolean {
  const [root, kind, sensorId = '', channel, ...rest] = filter.split('/')
  if (root !== TOPIC_ROOT || !kind || kind.includes('#') || channel !== 'command' || rest.length > 0)
    return false
  if (sensorId === '+') return scope.type === 'gateway' && scope.prefix === ''
  return isSensorId(sensorId) && speaksFor(scope, sensorId)
}

function speaksFor(scope: CredentialScope, sensorId: string): boolean {
  return scope.type === 'sensor' ? scope.sensorId === sensorId : sensorId.startsWith(scope.prefix)
}
