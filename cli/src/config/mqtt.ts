import { resolve } from 'node:path'
import { DEFAULT_BROKER_LIMITS, type BrokerLimits } from '@pulso/broker/limits'
import { choice, count, duration, port, text } from './variables.ts'

/** The settings of the front door. */
export interface MqttConfig {
  host: string
  port: number
  /** MQTT over TLS; null for not. */
  tls: {
    port: number
    certFile: string
    keyFile: string
    /** The authorities that client certificates are verified with; null: none are asked for. */
    caFile: string | null
    clients: 'optional' | 'required'
  } | null
  /** MQTT over WebSocket; null for not. */
  webSocketPort: number | null
}

export const MQTT_VARIABLES = {
  mqttHost: text({ name: 'PULSO_MQTT_HOST', default: '127.0.0.1', help: 'Address of the MQTT broker.' }),
  mqttPort: port({ name: 'PULSO_MQTT_PORT', default: '1883', help: 'Its port; 0 takes a free one.' }),
  mqttTlsPort: port({
    name: 'PULSO_MQTT_TLS_PORT',
    help: 'Port for MQTT over TLS, usually 8883; without it there is none. Needs the next two.',
  }),
  mqttTlsCert: text({
    name: 'PULSO_MQTT_TLS_CERT',
    help: 'PEM file with the broker’s certificate, and those between it and its authority.',
  }),
  mqttTlsKey: text({ name: 'PULSO_MQTT_TLS_KEY', help: 'PEM file with its private key.' }),
  mqttTlsCa: text({
    name: 'PULSO_MQTT_TLS_CA',
    help: 'PEM file with the authorities of client certificates. With it, clients are asked for one.',
  }),
  mqttTlsClients: choice(
    {
      name: 'PULSO_MQTT_TLS_CLIENTS',
      default: 'optional',
      help: 'Whether a client may come in over TLS without a certificate: optional or required.',
    },
    ['optional', 'required'],
  ),
  mqttWebSocketPort: port({
    name: 'PULSO_MQTT_WS_PORT',
    help: 'Port for MQTT over WebSocket, path /mqtt, without TLS; without it there is none.',
  }),
} as const

/** The front door's limits, under the names that the broker has for them. */
export const BROKER_LIMIT_VARIABLES = {
  payloadBytes: limit('payloadBytes', 1, {
    name: 'PULSO_LIMIT_PAYLOAD_BYTES',
    help: 'The largest payload of one message.',
  }),
  connections: limit('connections', 1, {
    name: 'PULSO_LIMIT_CONNECTIONS',
    help: 'MQTT connections at once.',
  }),
  connectionsPerAddress: limit('connectionsPerAddress', 0, {
    name: 'PULSO_LIMIT_CONNECTIONS_PER_ADDRESS',
    help: 'MQTT connections at once from one address (IPv6: one /64); 0 for no limit. Limits per address leave this machine’s own out.',
  }),
  connectsPerSecond: limit('connectsPerSecond', 0, {
    name: 'PULSO_LIMIT_CONNECTS_PER_SECOND',
    help: 'New MQTT connections a second, ten seconds’ worth at once; 0 for no limit.',
  }),
  connectsPerSecondPerAddress: limit('connectsPerSecondPerAddress', 0, {
    name: 'PULSO_LIMIT_CONNECTS_PER_SECOND_PER_ADDRESS',
    help: 'The same from one address.',
  }),
  halfOpen: limit('halfOpen', 1, {
    name: 'PULSO_LIMIT_HALF_OPEN',
    help: 'Connections that have not yet said who they are; beyond it the oldest of them is closed.',
  }),
  halfOpenPerAddress: limit('halfOpenPerAddress', 0, {
    name: 'PULSO_LIMIT_HALF_OPEN_PER_ADDRESS',
    help: 'The same from one address, where further ones are closed; 0 for no limit.',
  }),
  connectTimeoutMs: period('connectTimeoutMs', {
    name: 'PULSO_LIMIT_CONNECT_TIME',
    help: 'Who has not said by then who it is, is closed: TLS, WebSocket and CONNECT together.',
  }),
  messagesPerSecond: limit('messagesPerSecond', 0, {
    name: 'PULSO_LIMIT_MESSAGES_PER_SECOND',
    help: 'Messages a second of one sensor, ten seconds’ worth at once; beyond it the sensor waits. 0 for no limit.',
  }),
  bytesPerSecond: limit('bytesPerSecond', 0, {
    name: 'PULSO_LIMIT_BYTES_PER_SECOND',
    help: 'The same in bytes.',
  }),
  gatewayMessagesPerSecond: limit('gatewayMessagesPerSecond', 0, {
    name: 'PULSO_LIMIT_GATEWAY_MESSAGES_PER_SECOND',
    help: 'Messages a second of one gateway, for all its sensors together; 0 for no limit.',
  }),
  gatewayBytesPerSecond: limit('gatewayBytesPerSecond', 0, {
    name: 'PULSO_LIMIT_GATEWAY_BYTES_PER_SECOND',
    help: 'Bytes a second of one gateway; 0 for no limit.',
  }),
  overRateMs: period('overRateMs', {
    name: 'PULSO_LIMIT_OVER_RATE_TIME',
    help: 'A connection that has had to wait for its rate for so long without a break is closed.',
  }),
  clientIdLength: limit('clientIdLength', 1, {
    name: 'PULSO_LIMIT_CLIENT_ID_LENGTH',
    help: 'The longest MQTT client id, in characters.',
  }),
  topicBytes: limit('topicBytes', 1, {
    name: 'PULSO_LIMIT_TOPIC_BYTES',
    help: 'The longest topic.',
  }),
  topicLevels: limit('topicLevels', 1, {
    name: 'PULSO_LIMIT_TOPIC_LEVELS',
    help: 'Levels of a topic; ours have four or five.',
  }),
  subscriptions: limit('subscriptions', 1, {
    name: 'PULSO_LIMIT_SUBSCRIPTIONS',
    help: 'Subscriptions of one connection.',
  }),
  keepaliveMs: period('keepaliveMs', {
    name: 'PULSO_LIMIT_KEEPALIVE',
    help: 'A client that is silent for one and a half of this is closed, even when it asked for longer or for ever.',
  }),
  drainTimeoutMs: period('drainTimeoutMs', {
    name: 'PULSO_LIMIT_SLOW_READER_TIME',
    help: 'A client that does not read what it is sent is closed after this.',
  }),
} as const

type BrokerLimitKey = keyof typeof BROKER_LIMIT_VARIABLES

export type BrokerLimitsConfig = Pick<BrokerLimits, BrokerLimitKey>

type MqttReader = (
  key: Exclude<keyof typeof MQTT_VARIABLES, 'mqttHost' | 'mqttPort'>,
) => string | number | undefined

/** What goes together with the port, and what is missing for it. */
export function readTls(read: MqttReader, mistakes: string[]): MqttConfig['tls'] {
  const number = read('mqttTlsPort')
  const [certFile, keyFile, caFile] = [read('mqttTlsCert'), read('mqttTlsKey'), read('mqttTlsCa')].map(toPath)
  const clients = read('mqttTlsClients') === 'required' ? 'required' : 'optional'
  if (typeof number !== 'number') return null
  if (!certFile) mistakes.push('PULSO_MQTT_TLS_CERT: is needed with PULSO_MQTT_TLS_PORT')
  if (!keyFile) mistakes.push('PULSO_MQTT_TLS_KEY: is needed with PULSO_MQTT_TLS_PORT')
  if (clients === 'required' && !caFile) {
    mistakes.push('PULSO_MQTT_TLS_CA: is needed to require certificates with PULSO_MQTT_TLS_CLIENTS')
  }
  return {
    port: number,
    certFile: certFile ?? '',
    keyFile: keyFile ?? '',
    caFile: caFile ?? null,
    clients,
  }
}

/** Every limit of the front door that has a setting. */
export function readBrokerLimits(read: (key: BrokerLimitKey) => number | undefined): BrokerLimitsConfig {
  const keys = Object.keys(BROKER_LIMIT_VARIABLES) as BrokerLimitKey[]
  return Object.fromEntries(keys.map((key) => [key, read(key)])) as unknown as BrokerLimitsConfig
}

function toPath(value: string | number | undefined): string | undefined {
  return typeof value === 'string' ? resolve(value) : undefined
}

interface Named {
  name: string
  help: string
}

function limit(key: keyof BrokerLimits, min: number, named: Named) {
  return count({ ...named, default: String(DEFAULT_BROKER_LIMITS[key]) }, min)
}

function period(key: keyof BrokerLimits, named: Named) {
  return duration({ ...named, default: `${DEFAULT_BROKER_LIMITS[key] / 1_000}s` })
}
