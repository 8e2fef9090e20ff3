/**
 * `npm run outage`: InfluxDB is away for as long as an hour of a city takes, sent faster than an hour lasts, and comes
 * back while the city goes on. Ends with 1 when a message that was acknowledged is not stored, or stored twice.
 */
import { rm, mkdtemp, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { startBoxPeer, startLoad, type BoxPeer, type LoadClient } from '../../cli/src/bench/ingest/peers.ts'
import { loadKind } from '../../simulators/src/index.ts'
import { startInfluxd } from '../../stores/test/support/influxd.ts'

const HELP = `npm run outage -- [--messages 18000000] [--live 5000]
  --messages  taken in while InfluxDB is away: an hour of 5,000 a second is 18,000,000
  --live      messages a second while it works off what waits`

const DATABASE = 'outage'
const CONNECTIONS = 100
const SENSORS = 1_000
const IN_FLIGHT = 256
const SENT_AT_ONCE_MS = 10_000
const LIVE_RUN_MS = 10_000
const LOOK_EVERY_MS = 200
const ACCEPTED = 'pulso_messages_accepted_total{qos="1"}'

const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: '18000000' },
    live: { type: 'string', default: '5000' },
    help: { type: 'boolean' },
  },
})
if (values.help) say(HELP)
else process.exitCode = await run(Number(values.messages), Number(values.live))

async function run(messages: number, livePerSecond: number): Promise<number> {
  await using parts = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'pulso-outage-'))
  parts.defer(() => rm(folder, { recursive: true, force: true }))
  const influxd = await startInfluxd()
  parts.defer(() => influxd.stop())
  Object.assign(process.env, {
    PULSO_READINGS: 'influxdb',
    PULSO_INFLUX_VERSION: '1',
    PULSO_INFLUX_URL: influxd.url,
    PULSO_INFLUX_BUCKET: DATABASE,
  })
  const box = await startBoxPeer(folder, SENSORS)
  parts.defer(async () => {
    await box.stop()
  })
  const load = await startLoad(box, { connections: CONNECTIONS, sensors: SENSORS, inFlight: IN_FLIGHT })
  parts.defer(async () => {
    await load.stop()
  })

  await influxd.kill()
  const away = await takeIn(box, load, messages)
  const { size } = await stat(join(folder, 'journal.sqlite'))
  const depth = await read(box, 'pulso_journal_depth')
  say(`InfluxDB away: ${away.sent} messages acknowledged in ${away.seconds.toFixed(0)} s, PUBACK at most`)
  say(
    `  ${away.p99Ms.toFixed(0)} ms (p99); ${depth} wait in a journal of ${toMb(size)} MB; ${await readMemory(box)} MB resident`,
  )

  await influxd.start()
  const startedAt = performance.now()
  for (let waiting = depth; waiting > livePerSecond;) {
    const { latency, behind } = await load.run({
      warmUpMs: 0,
      durationMs: LIVE_RUN_MS,
      ratePerSecond: livePerSecond,
    })
    waiting = await read(box, 'pulso_journal_depth')
    const puback = `${latency.medianMs.toFixed(1)} ms median, ${latency.p99Ms.toFixed(0)} ms p99`
    say(`  ${waiting} wait; live PUBACK ${puback}, ${behind} behind; ${await readMemory(box)} MB resident`)
  }
  const drainSeconds = (performance.now() - startedAt) / 1_000
  say(`Worked off in ${drainSeconds.toFixed(0)} s beside ${livePerSecond} live messages a second`)

  while ((await read(box, 'pulso_journal_depth')) > 0) await delay(LOOK_EVERY_MS)
  const accepted = await read(box, ACCEPTED)
  const stored = await countStored(influxd.url)
  say(`${accepted} acknowledged, ${stored} stored`)
  return accepted === stored ? 0 : 1
}

async function takeIn(box: BoxPeer, load: LoadClient, messages: number) {
  let [sent, seconds, p99Ms] = [0, 0, 0]
  while (sent < messages) {
    const part = await load.run({ warmUpMs: 0, durationMs: SENT_AT_ONCE_MS })
    sent = await read(box, ACCEPTED)
    seconds += part.seconds
    p99Ms = Math.max(p99Ms, part.latency.p99Ms)
    say(`  ${sent} of ${messages}`)
  }
  return { sent, seconds, p99Ms }
}

async function read(box: BoxPeer, name: string): Promise<number> {
  return (await box.metrics()).get(name) ?? 0
}

async function readMemory(box: BoxPeer): Promise<string> {
  return toMb(await read(box, 'process_resident_memory_bytes'))
}

async function countStored(url: string): Promise<number> {
  const query = `SELECT count("status") FROM "${loadKind()}"`
  const answer = await fetch(`${url}/query?db=${DATABASE}&q=${encodeURIComponent(query)}`)
  const { results } = (await answer.json()) as { results: { series?: { values: [string, number][] }[] }[] }
  return results[0]?.series?.[0]?.values[0]?.[1] ?? 0
}

function toMb(bytes: number): string {
  return (bytes / 1e6).toFixed(0)
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}
