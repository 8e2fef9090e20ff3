/**
 * Our topics, `pulso/{kind}/{sensor}/{channel}`. Everything about their shape stands here.
 */

export const TOPIC_ROOT = 'pulso'

/** What a device may send (up) or be sent (down). */
export const UP_CHANNELS = ['telemetry', 'presence', 'command/result'] as const
export const DOWN_CHANNELS = ['command'] as const

export type UpChannel = (typeof UP_CHANNELS)[number]
export type Channel = UpChannel | (typeof DOWN_CHANNELS)[number]

export interface Topic {
  kind: string
  sensorId: string
  channel: Channel
}

const SENSOR_ID = /^[A-Za-z0-9._:-]{1,64}$/
const CHANNELS: ReadonlySet<string> = new Set([...UP_CHANNELS, ...DOWN_CHANNELS])

/** A sensor id: 1 to 64 of `A-Z a-z 0-9 . _ : -`, unique in the city across kinds. */
export function isSensorId(text: string): boolean {
  return SENSOR_ID.test(text)
}

/** The parts of one of our topics, or `undefined` for any other topic. */
export function parseTopic(topic: string): Topic | undefined {
  const parts = topic.split('/')
  if (parts.length < 4 || parts.length > 5 || parts[0] !== TOPIC_ROOT) return undefined
  const [, kind = '', sensorId = '', ...rest] = parts
  const channel = rest.join('/')
  if (kind === '' || kind.length > 64 || !isSensorId(sensorId) || !isChannel(channel)) return undefined
  return { kind, sensorId, channel }
}

export function toTopic({ kind, sensorId, channel }: Topic): string {
  return `${TOPIC_ROOT}/${kind}/${sensorId}/${channel}`
}

function isChannel(text: string): text is Channel {
  return CHANNELS.has(text)
}
