import type { BrokerPorts } from '@pulso/broker'
import type { Secret } from '../administration.ts'
import type { FirstReading } from './first-reading.ts'

/** Where devices connect; `null` for the entrances that are off. */
export interface MqttAddress extends BrokerPorts {
  host: string
}

/** What a person needs to know once the city runs. */
export interface StartReport {
  city: string
  http: string
  mqtt: MqttAddress
  dataDir: string
  operator: Secret | null
  /** Only with the virtual city: a sensor that waits for a newcomer's first reading. */
  firstReading: FirstReading | null
}

export function describeStart({ city, http, mqtt, dataDir, operator, firstReading }: StartReport): string {
  const signIn = operator
    ? `${operator.username}, password ${operator.password}  (shown this once)`
    : 'sign in with the password of the first start  (lost? npx pulso operator reset operator)'
  return [
    '',
    `  Pulso · ${city} is live`,
    '',
    `  Map          ${http}`,
    `  Operators    ${http}/ops  ${signIn}`,
    `  API          ${http}/docs`,
    `  MQTT         ${describeMqtt(mqtt)}`,
    `  Data         ${dataDir}`,
    '',
    ...(firstReading ? describeFirstReading(firstReading, mqtt) : describeFirstDevice()),
    '',
    '  Ctrl-C stops it; nothing acknowledged is lost.',
    '',
  ].join('\n')
}

function describeFirstReading(
  { username, password, topic, payload }: FirstReading,
  mqtt: { host: string; port: number },
): string[] {
  return [
    '  The sensors on the map are simulated. Publish a reading of your own and watch it change:',
    '',
    `    mosquitto_pub -h ${mqtt.host} -p ${mqtt.port} -q 1 -u ${username} -P ${password} \\`,
    `      -t ${topic} -m '${payload}'`,
  ]
}

function describeFirstDevice(): string[] {
  return [
    '  Add your first sensor:  npx pulso device add my-sensor --kind <kind> --lat <degrees> --lon <degrees>',
  ]
}

/** `127.0.0.1:1883, TLS :8883, WebSocket :9001` */
export function describeMqtt({ host, port, tlsPort, webSocketPort }: MqttAddress): string {
  const further = [
    tlsPort !== null && `TLS :${tlsPort}`,
    webSocketPort !== null && `WebSocket :${webSocketPort}`,
  ]
  return [`${host}:${port}`, ...further.filter((entry) => entry !== false)].join(', ')
}
