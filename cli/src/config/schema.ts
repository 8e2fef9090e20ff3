import { DEFAULT_JOURNAL_BOUNDS, DEFAULT_QUARANTINE_BOUNDS } from '@pulso/stores/limits'
import { HTTP_VARIABLES } from './http.ts'
import { BROKER_LIMIT_VARIABLES, MQTT_VARIABLES } from './mqtt.ts'
import { choice, count, duration, keeping, text, url, type Variable } from './variables.ts'

/** Every setting there is: name, default, meaning. `.env.example` is checked against this table. */
export const VARIABLES = {
  dataDir: text({
    name: 'PULSO_DATA_DIR',
    default: './data',
    help: 'Where everything is kept. One running box per folder.',
  }),
  ...HTTP_VARIABLES,
  ...MQTT_VARIABLES,
  journal: choice(
    { name: 'PULSO_JOURNAL', default: 'sqlite', help: 'Where acknowledged messages are kept first.' },
    ['sqlite'],
  ),
  readings: choice(
    {
      name: 'PULSO_READINGS',
      default: 'duckdb',
      help: 'Where readings are kept: duckdb (embedded) or influxdb.',
    },
    ['duckdb', 'influxdb'],
  ),
  influxUrl: url({ name: 'PULSO_INFLUX_URL', default: 'http://127.0.0.1:8086', help: 'InfluxDB’s address.' }),
  influxVersion: choice({ name: 'PULSO_INFLUX_VERSION', default: '2', help: 'Its major version.' }, [
    '2',
    '1',
  ]),
  influxToken: text({
    name: 'PULSO_INFLUX_TOKEN',
    help: 'InfluxDB 2: a token that may read, write and create buckets. InfluxDB 1: user:password, if it asks for one.',
  }),
  influxOrg: text({ name: 'PULSO_INFLUX_ORG', default: 'pulso', help: 'InfluxDB 2: the organisation.' }),
  influxBucket: text({
    name: 'PULSO_INFLUX_BUCKET',
    default: 'pulso',
    help: 'The bucket, or the database of InfluxDB 1.',
  }),
  registry: choice(
    { name: 'PULSO_REGISTRY', default: 'sqlite', help: 'Where sensors and credentials are kept.' },
    ['sqlite'],
  ),
  city: text({ name: 'PULSO_CITY', help: 'The city file, JSON. Default: the bundled Santander.' }),
  kindsDir: text({
    name: 'PULSO_KINDS_DIR',
    help: 'A folder with this city’s own kinds of sensors, one file each.',
  }),
  codecsDir: text({
    name: 'PULSO_CODECS_DIR',
    help: 'A folder with this city’s own codecs of LoRaWAN devices, one file each.',
  }),
  sources: text({
    name: 'PULSO_SOURCES',
    help: 'A file, JSON, with the external MQTT brokers that messages are also taken from: see docs/sources.md.',
  }),
  clockPastMs: duration({
    name: 'PULSO_CLOCK_PAST',
    default: '7d',
    help: 'A reading whose own time is older than this is quarantined.',
  }),
  clockFutureMs: duration({
    name: 'PULSO_CLOCK_FUTURE',
    default: '5m',
    help: 'The same for a time ahead of ours.',
  }),
  ...BROKER_LIMIT_VARIABLES,
  limitJournalBytes: count(
    {
      name: 'PULSO_LIMIT_JOURNAL_BYTES',
      default: String(DEFAULT_JOURNAL_BOUNDS.maxBytes),
      help: 'Messages that wait to be stored take this much at most; beyond it senders wait.',
    },
    1,
  ),
  limitJournalFreeBytes: count(
    {
      name: 'PULSO_LIMIT_JOURNAL_FREE_BYTES',
      default: String(DEFAULT_JOURNAL_BOUNDS.minFreeBytes),
      help: 'With less free on the data folder’s disk than this, senders wait too.',
    },
    0,
  ),
  limitQuarantineEntries: count(
    {
      name: 'PULSO_LIMIT_QUARANTINE_ENTRIES',
      default: String(DEFAULT_QUARANTINE_BOUNDS.maxEntries),
      help: 'Quarantined messages kept; the oldest go first.',
    },
    1,
  ),
  limitQuarantineBytes: count(
    {
      name: 'PULSO_LIMIT_QUARANTINE_BYTES',
      default: String(DEFAULT_QUARANTINE_BOUNDS.maxBytes),
      help: 'What their payloads take together at most.',
    },
    1,
  ),
  quarantineKeepMs: duration({
    name: 'PULSO_QUARANTINE_KEEP',
    default: '30d',
    help: 'A quarantined message older than this is deleted.',
  }),
  keepRawMs: keeping({
    name: 'PULSO_KEEP_RAW',
    default: '90d',
    help: 'How long readings are kept as they were measured: a duration, or forever. What is made of them stays longer.',
  }),
  keep5mMs: keeping({
    name: 'PULSO_KEEP_5M',
    default: '730d',
    help: 'The same for aggregates of 5 minutes.',
  }),
  keep1hMs: keeping({ name: 'PULSO_KEEP_1H', default: 'forever', help: 'The same for those of hours.' }),
  keep1dMs: keeping({ name: 'PULSO_KEEP_1D', default: 'forever', help: 'The same for those of days.' }),
  logLevel: choice({ name: 'PULSO_LOG_LEVEL', default: 'info', help: 'How much is logged.' }, [
    'info',
    'trace',
    'debug',
    'warn',
    'error',
    'fatal',
    'silent',
  ]),
} as const satisfies Record<string, Variable<unknown>>
