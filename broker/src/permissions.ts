import {
  DEVICE_API_TOPIC,
  isSensorId,
  parseTopic,
  toDeviceApiTopic,
  TOPIC_ROOT,
  UP_CHANNELS,
} from '@pulso/model'
import type { CredentialScope } from '@pulso/stores'
import type { BrokerLimits } from './limits.ts'

export type TopicRefusal = 'topic-too-long' | 'topic-too-deep'
export type PublishRefusal = TopicRefusal | 'wrong-topic' | 'not-allowed'
type TopicLimits = Pick<BrokerLimits, 'topicBytes' | 'topicLevels'>

const UP: ReadonlySet<string> = new Set(UP_CHANNELS)

/** Wildcards are for filters, and U+0000 is for nobody (MQTT 3.1.1, 3.3.2.1 and 1.5.3). */
const NEVER_PUBLISHED = /[+#\0]/

/** Why a topic or filter is none that is looked at; `undefined` when it is. */
export function refuseTopic(topic: string, limits: TopicLimits): TopicRefusal | undefined {
  if (Buffer.byteLength(topic) > limits.topicBytes) return 'topic-too-long'
  let levels = 1
  for (let at = topic.indexOf('/'); at !== -1; at = topic.indexOf('/', at + 1)) levels++
  return levels > limits.topicLevels ? 'topic-too-deep' : undefined
}

/** Why the scope may not publish to this topic; `undefined` when it may. The kind is not judged here but in ingest. */
export function refusePublish(scope: CredentialScope, topic: string): PublishRefusal | undefined {
  // It names no sensor, so whoever speaks for many cannot use it.
  if (topic === DEVICE_API_TOPIC) return scope.type === 'sensor' ? undefined : 'not-allowed'
  const parts = parseTopic(topic)
  if (!parts || !UP.has(parts.channel) || NEVER_PUBLISHED.test(parts.kind)) return 'wrong-topic'
  return speaksFor(scope, parts.sensorId) ? undefined : 'not-allowed'
}

/** What a session may publish to, as far as it was looked at. */
export interface PublishMemory {
  scope: CredentialScope
  allowedTopic: string | undefined
  keptTopic: string
  /** `allowedTopic` as the bytes that it comes in, once they were seen: so they are of that topic and no other. */
  allowedBytes: Buffer | undefined
}

/** Like `refusePublish`, within the bounds of a topic; remembers the topic that was last found allowed. */
export function judgePublish(
  session: PublishMemory,
  topic: string,
  limits: TopicLimits,
): PublishRefusal | undefined {
  if (topic === session.allowedTopic) return undefined
  const reason = refuseTopic(topic, limits) ?? refusePublish(session.scope, topic)
  if (reason) return reason
  session.allowedTopic = topic
  session.allowedBytes = undefined
  session.keptTopic = toKeptTopic(session.scope, topic)
  return undefined
}

/** The topic under which a message is kept: with the sensor in the place of `me`. */
export function toKeptTopic(scope: CredentialScope, topic: string): string {
  return topic === DEVICE_API_TOPIC && scope.type === 'sensor' ? toDeviceApiTopic(scope.sensorId) : topic
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
