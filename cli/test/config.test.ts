import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { DEFAULT_BROKER_LIMITS } from '@pulso/broker'
import { AppError } from '@pulso/model'
import { DEFAULT_LIMITS } from '@pulso/api'
import { parseConfig } from '../src/config/config.ts'

const mistakesOf = (env: Record<string, string>): readonly string[] => {
  try {
    parseConfig(env)
  } catch (error) {
    assert.ok(error instanceof AppError)
    assert.equal(error.code, 'invalid-configuration')
    for (const mistake of error.details) assert.ok(error.message.includes(mistake))
    return error.details
  }
  return []
}

describe('the configuration', () => {
  it('has a default for everything', () => {
    const config = parseConfig({})
    assert.deepEqual(config.http, { host: '127.0.0.1', port: 8080, trustedProxies: [] })
    assert.equal(config.limits.http.requestsPerSecond, DEFAULT_LIMITS.requestsPerSecond)
    assert.deepEqual(config.mqtt, { host: '127.0.0.1', port: 1883, tls: null, webSocketPort: null })
    assert.deepEqual(config.readings, { driver: 'duckdb' })
    assert.deepEqual(config.clockLimits, { pastMs: 7 * 86_400_000, futureMs: 300_000 })
    assert.equal(config.cityFile, null)
  })

  it('has the API’s own limits for defaults', () => {
    const { http } = parseConfig({}).limits
    for (const [name, value] of Object.entries(http))
      assert.equal(value, DEFAULT_LIMITS[name as keyof typeof http], name)
  })

  it('takes an empty value for none', () => {
    assert.equal(parseConfig({ PULSO_HTTP_PORT: '', PULSO_CITY: '' }).http.port, 8080)
  })

  it('names every mistake at once', () => {
    const mistakes = mistakesOf({
      PULSO_HTTP_PORT: '80 80',
      PULSO_MQTT_PORT: '70000',
      PULSO_CLOCK_PAST: '7 years',
      PULSO_READINGS: 'excel',
      PULSO_JOURNAL: 'nats',
      PULSO_DATA_DIR: `/${'x'.repeat(200)}`,
    })
    assert.deepEqual(mistakes.map((mistake) => mistake.split(':')[0]).toSorted(), [
      'PULSO_CLOCK_PAST',
      'PULSO_DATA_DIR',
      'PULSO_HTTP_PORT',
      'PULSO_JOURNAL',
      'PULSO_MQTT_PORT',
      'PULSO_READINGS',
    ])
  })

  it('refuses a misspelt name instead of ignoring it, and guesses what was meant', () => {
    assert.match(mistakesOf({ PULSO_HTPP_PORT: '1' })[0] ?? '', /did you mean PULSO_HTTP_PORT/)
    assert.match(mistakesOf({ PULSO_COLOUR: 'blue' })[0] ?? '', /no such setting$/)
  })

  it('takes proxies as addresses and networks, and none that would stand for everybody', () => {
    const proxies = (text: string): readonly string[] =>
      parseConfig({ PULSO_HTTP_TRUSTED_PROXIES: text }).http.trustedProxies
    assert.deepEqual(proxies('127.0.0.1, 10.0.0.0/8,::1,fd00::/8,'), [
      '127.0.0.1',
      '10.0.0.0/8',
      '::1',
      'fd00::/8',
    ])
    for (const wrong of [
      'proxy.example',
      '10.0.0.0/33',
      '10.0.0/8',
      '::/129',
      '1.2.3.4/',
      '1.2.3.4/8/8',
      'loopback',
    ])
      assert.match(
        mistakesOf({ PULSO_HTTP_TRUSTED_PROXIES: wrong })[0] ?? '',
        /^PULSO_HTTP_TRUSTED_PROXIES: .* neither an address nor a network/,
        wrong,
      )
    for (const everybody of ['0.0.0.0/0', '::/0'])
      assert.match(mistakesOf({ PULSO_HTTP_TRUSTED_PROXIES: everybody })[0] ?? '', /trusts every address/)
  })

  it('says which files MQTT over TLS still needs', () => {
    const mistakes = mistakesOf({ PULSO_MQTT_TLS_PORT: '8883', PULSO_MQTT_TLS_CLIENTS: 'required' })
    assert.deepEqual(mistakes.map((mistake) => mistake.split(':')[0]).toSorted(), [
      'PULSO_MQTT_TLS_CA',
      'PULSO_MQTT_TLS_CERT',
      'PULSO_MQTT_TLS_KEY',
    ])
    const { tls } = parseConfig({
      PULSO_MQTT_TLS_PORT: '8883',
      PULSO_MQTT_TLS_CERT: '/etc/pulso/broker.crt',
      PULSO_MQTT_TLS_KEY: '/etc/pulso/broker.key',
    }).mqtt
    assert.deepEqual(tls, {
      port: 8883,
      certFile: '/etc/pulso/broker.crt',
      keyFile: '/etc/pulso/broker.key',
      caFile: null,
      clients: 'optional',
    })
  })

  it('gives the front door the limits it has by itself, and those that are set', () => {
    const { broker } = parseConfig({
      PULSO_LIMIT_MESSAGES_PER_SECOND: '5',
      PULSO_LIMIT_KEEPALIVE: '2m',
    }).limits
    assert.deepEqual(
      { ...DEFAULT_BROKER_LIMITS, ...broker },
      { ...DEFAULT_BROKER_LIMITS, messagesPerSecond: 5, keepaliveMs: 120_000 },
    )
  })

  it('asks for a token with InfluxDB 2, and not with 1', () => {
    assert.match(mistakesOf({ PULSO_READINGS: 'influxdb' })[0] ?? '', /PULSO_INFLUX_TOKEN/)
    const { readings } = parseConfig({
      PULSO_READINGS: 'influxdb',
      PULSO_INFLUX_VERSION: '1',
      PULSO_INFLUX_URL: 'http://h:8086/',
    })
    assert.deepEqual(readings, {
      driver: 'influxdb',
      version: '1',
      token: null,
      org: 'pulso',
      bucket: 'pulso',
      url: 'http://h:8086',
    })
  })
})
