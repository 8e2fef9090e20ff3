import { resolve } from 'node:path'
import { AppError, messageOf, type ClockLimits } from '@pulso/model'
import type { QuarantineBounds } from '@pulso/stores/limits'
import type { HttpConfig, HttpLimits } from './http.ts'
import { readBrokerLimits, readTls, type BrokerLimitsConfig, type MqttConfig } from './mqtt.ts'
import { VARIABLES } from './schema.ts'
import type { Variable } from './variables.ts'

export interface InfluxConfig {
  url: string
  version: '1' | '2'
  token: string | null
  org: string
  bucket: string
}

/** The settings of one installation, parsed once; everything behind it trusts them. */
export interface Config {
  /** Absolute. */
  dataDir: string
  http: HttpConfig
  mqtt: MqttConfig
  readings: { driver: 'duckdb' } | ({ driver: 'influxdb' } & InfluxConfig)
  /** Absolute path of the city file; null for the bundled one. */
  cityFile: string | null
  /** Absolute path of a folder with further kinds. */
  kindsDir: string | null
  /** The same with further codecs. */
  codecsDir: string | null
  /** Absolute path of the file that names the external brokers. */
  sourcesFile: string | null
  clockLimits: ClockLimits
  limits: {
    broker: BrokerLimitsConfig
    http: HttpLimits
    journal: { maxBytes: number; minFreeBytes: number }
    quarantine: Pick<QuarantineBounds, 'maxEntries' | 'maxBytes'>
  }
  /** How long the quarantine keeps an entry. */
  quarantineKeepMs: number
  /** How long readings and aggregates are kept, in ms; `Infinity` for ever. */
  keepMs: { raw: number; '5m': number; '1h': number; '1d': number }
  logLevel: string
}

type Environment = Readonly<Record<string, string | undefined>>
type Key = keyof typeof VARIABLES
type ValueOf<K extends Key> = (typeof VARIABLES)[K] extends Variable<infer T> ? T : never

/** A Unix socket's path may have 107 bytes; `/control.sock` takes 13 of them. */
const MAX_DATA_DIR_BYTES = 94

/**
 * Reads every setting from the environment.
 * @throws AppError `invalid-configuration` that names all mistakes at once
 */
export function parseConfig(env: Environment): Config {
  const mistakes = findUnknownNames(env)
  const read = createReader(env, mistakes)
  const dataDir = resolve(read('dataDir') ?? '.')
  if (Buffer.byteLength(dataDir) > MAX_DATA_DIR_BYTES) {
    mistakes.push(
      `PULSO_DATA_DIR: ${dataDir} is too long for a socket in it, at most ${MAX_DATA_DIR_BYTES} bytes`,
    )
  }
  const config = {
    dataDir,
    http: {
      host: read('httpHost'),
      port: read('httpPort'),
      trustedProxies: read('httpTrustedProxies') ?? [],
    },
    mqtt: {
      host: read('mqttHost'),
      port: read('mqttPort'),
      tls: readTls(read, mistakes),
      webSocketPort: read('mqttWebSocketPort') ?? null,
    },
    readings: readReadings(read, mistakes),
    cityFile: toAbsolute(read('city')),
    kindsDir: toAbsolute(read('kindsDir')),
    codecsDir: toAbsolute(read('codecsDir')),
    sourcesFile: toAbsolute(read('sources')),
    clockLimits: { pastMs: read('clockPastMs'), futureMs: read('clockFutureMs') },
    limits: {
      broker: readBrokerLimits(read),
      http: {
        requestsPerSecond: read('limitHttpRequestsPerSecond'),
        liveClients: read('limitLiveClients'),
        liveClientsPerAddress: read('limitLiveClientsPerAddress'),
        liveUnsentBytes: read('limitLiveUnsentBytes'),
      },
      journal: { maxBytes: read('limitJournalBytes'), minFreeBytes: read('limitJournalFreeBytes') },
      quarantine: { maxEntries: read('limitQuarantineEntries'), maxBytes: read('limitQuarantineBytes') },
    },
    quarantineKeepMs: read('quarantineKeepMs'),
    keepMs: {
      raw: read('keepRawMs'),
      '5m': read('keep5mMs'),
      '1h': read('keep1hMs'),
      '1d': read('keep1dMs'),
    },
    logLevel: read('logLevel'),
  }
  read('journal')
  read('registry')
  if (mistakes.length > 0) {
    throw new AppError(
      'invalid-configuration',
      `The configuration has mistakes:\n  ${mistakes.join('\n  ')}`,
      {
        details: mistakes,
      },
    )
  }
  return config as Config
}

type Reader = <K extends Key>(key: K) => ValueOf<K> | undefined

/** Reads one setting; a mistake goes on the list, so that all are reported together. */
function createReader(env: Environment, mistakes: string[]): Reader {
  return <K extends Key>(key: K) => {
    const variable = VARIABLES[key] as unknown as Variable<ValueOf<K>>
    const given = env[variable.name]
    // An empty line in an .env file means "not set".
    const raw = given === undefined || given === '' ? variable.defaultText : given
    if (raw === undefined) return undefined
    try {
      return variable.parse(raw)
    } catch (error) {
      mistakes.push(`${variable.name}: ${messageOf(error)}`)
      return undefined
    }
  }
}

function readReadings(read: Reader, mistakes: string[]): Config['readings'] {
  if (read('readings') !== 'influxdb') return { driver: 'duckdb' }
  const version = read('influxVersion') ?? '2'
  const token = read('influxToken') ?? null
  if (version === '2' && token === null) mistakes.push('PULSO_INFLUX_TOKEN: is needed with InfluxDB 2')
  const [url = '', org = '', bucket = ''] = [read('influxUrl'), read('influxOrg'), read('influxBucket')]
  return { driver: 'influxdb', url, version, token, org, bucket }
}

function toAbsolute(path: string | undefined): string | null {
  return path === undefined ? null : resolve(path)
}

/** A misspelt name would silently leave a default in force, so it is a mistake. */
function findUnknownNames(env: Environment): string[] {
  const known = Object.values(VARIABLES).map(({ name }) => name)
  return Object.keys(env)
    .filter((name) => name.startsWith('PULSO_') && !known.includes(name) && env[name] !== '')
    .map((name) => {
      const near = known.find((candidate) => editDistance(candidate, name) <= 2)
      return `${name}: there is no such setting${near ? `; did you mean ${near}?` : ''}`
    })
}

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const substitution = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      row[j] = Math.min((previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, substitution)
    }
    previous = row
  }
  return previous[b.length] ?? 0
}
