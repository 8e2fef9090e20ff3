import { mkdtemp, rm } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generate } from 'mqtt-packet'
import type { HistoryView } from '@pulso/model'
import { hashSecret, openSqliteRegistry } from '@pulso/stores'
import { startBoxProcess, type BoxProcess } from '../chaos/support/box-process.ts'
import { freePort } from '../chaos/support/free-port.ts'
import { getJson, readMetric } from '../support/api.ts'
import { waitFor } from '../support/wait.ts'
import { createCanary, type Canary } from './canary.ts'
import { createPacketCase, type Credential, type PacketCase } from './packet-cases.ts'
import type { FuzzOptions, FuzzReport } from './report.ts'

const CREDENTIAL: Credential = { username: 'fuzz-gateway', password: 'a-secret-of-the-fuzz-run' }
const CONNECTIONS = 128
/** A connection that is still open after so many is replaced all the same. */
const CASES_PER_CONNECTION = 40
/** A packet that has only begun swallows the ping behind it: then there is no answer to wait for. */
const SILENCE_MS = 40
const CANARY_EVERY = 2_000
const WARM_AFTER_CASES = 20_000
const REMEMBERED_CASES = 300

/** Malformed packets on many sockets of a real box, which has to go on serving those who speak properly. */
export async function fuzzSockets(options: FuzzOptions): Promise<FuzzReport> {
  const folder = await mkdtemp(join(tmpdir(), 'pulso-fuzz-'))
  const startedMs = performance.now()
  const report: FuzzReport = { target: 'sockets', seed: options.seed, cases: 0, elapsedMs: 0, faults: [] }
  const mqttPort = await freePort()
  await addCredentials(folder)
  // Only errors are logged, and no sender can cause one: whatever stands in the log is a fault.
  const box = startBoxProcess({ dataDir: folder, mqttPort, env: { PULSO_LOG_LEVEL: 'error' } })
  try {
    await box.untilReady()
    const canary = await createCanary({ port: mqttPort, ...CREDENTIAL })
    const recent: string[] = []
    let next = 0
    const takeCase = (): PacketCase | undefined => {
      if (!options.goesOn(next) || report.faults.length > 0) return undefined
      const index = next++
      const packetCase = createPacketCase(index, { seed: options.seed, credential: CREDENTIAL })
      recent.push(`${index} ${packetCase.isFirst ? 'first ' : ''}${packetCase.bytes.toString('hex', 0, 300)}`)
      if (recent.length > REMEMBERED_CASES) recent.shift()
      return packetCase
    }
    const onDone = async (): Promise<void> => {
      report.cases++
      if (report.cases % CANARY_EVERY !== 0) return
      await lookAt(box, canary, report)
      options.onProgress(report.cases)
    }
    await Promise.all(Array.from({ length: CONNECTIONS }, () => attack(mqttPort, { takeCase, onDone })))
    await lookAt(box, canary, report)
    await verifyCanaries(box, canary, report)
    canary.close()
    if (report.faults.length > 0) report.faults.push(`the last cases:\n${recent.join('\n')}`)
  } finally {
    await box.end('SIGKILL')
    await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  }
  return { ...report, elapsedMs: performance.now() - startedMs }
}

interface Attack {
  takeCase: () => PacketCase | undefined
  onDone: () => Promise<void>
}

/** One connection after the other, with as many cases on each as the broker bears. */
async function attack(port: number, { takeCase, onDone }: Attack): Promise<void> {
  let packetCase = takeCase()
  while (packetCase) {
    const link = await openLink(port)
    if (!packetCase.isFirst) link.send(properConnect())
    for (let left = CASES_PER_CONNECTION; packetCase && left > 0; left--) {
      link.send(packetCase.bytes, PING)
      const isOpen = await link.answered()
      await onDone()
      packetCase = takeCase()
      if (!isOpen || packetCase?.isFirst) break
    }
    link.close()
  }
}

const PING = generate({ cmd: 'pingreq' })
const PINGRESP = Buffer.of(0xd0, 0x00)

function properConnect(): Buffer {
  const { username, password } = CREDENTIAL
  return generate({
    cmd: 'connect',
    clientId: '',
    clean: true,
    keepalive: 60,
    username,
    password: Buffer.from(password),
  })
}

interface Link {
  send(...bytes: Buffer[]): void
  /** Resolves when the broker has answered the ping (true), ended the connection, or stays silent. */
  answered(): Promise<boolean>
  close(): void
}

async function openLink(port: number): Promise<Link> {
  const socket: Socket = connect({ port, host: '127.0.0.1', noDelay: true })
  let waiting: ((isOpen: boolean) => void) | undefined
  let isClosed = false
  const settle = (isOpen: boolean): void => waiting?.(isOpen)
  socket.on('error', () => undefined)
  socket.on('close', () => {
    isClosed = true
    settle(false)
  })
  socket.on('data', (chunk: Buffer) => {
    if (chunk.includes(PINGRESP)) settle(true)
  })
  return {
    send(...bytes) {
      if (!isClosed) socket.write(Buffer.concat(bytes))
    },
    answered() {
      if (isClosed) return Promise.resolve(false)
      return new Promise((resolve) => {
        const timer = setTimeout(() => settle(false), SILENCE_MS)
        waiting = (isOpen) => {
          clearTimeout(timer)
          waiting = undefined
          resolve(isOpen)
        }
      })
    },
    close: () => void socket.destroy(),
  }
}

/** The box lives, says nothing alarming, and serves a proper device. */
async function lookAt(box: BoxProcess, canary: Canary, report: FuzzReport): Promise<void> {
  if (!box.isRunning()) {
    const { code, signal } = await box.ended
    report.faults.push(`the box ended with ${code ?? signal}:\n${box.log().slice(-4_000)}`)
    return
  }
  if (box.log() !== '') report.faults.push(`the box logged an error:\n${box.log().slice(0, 4_000)}`)
  await canary
    .sing()
    .catch((error: unknown) => report.faults.push(`a proper device is not served: ${String(error)}`))
  const rssBytes = await readMetric(box, 'process_resident_memory_bytes').catch(() => undefined)
  if (rssBytes === undefined) return
  if (report.cases >= WARM_AFTER_CASES) report.warmRssBytes ??= rssBytes
  report.endRssBytes = rssBytes
}

/** What the proper device was acknowledged is stored, each once. */
async function verifyCanaries(box: BoxProcess, canary: Canary, report: FuzzReport): Promise<void> {
  if (!box.isRunning()) return
  const { sensorId, metric, fromMs } = canary
  const wanted = canary.acknowledged()
  const from = new Date(fromMs).toISOString()
  const path = `/api/v1/sensors/${sensorId}/history?metric=${metric}&from=${from}`
  await waitFor(
    async () => {
      const { points } = await getJson<HistoryView>(box, path)
      const values = points.map(({ value }) => value)
      return values.length === wanted.length && values.every((value, index) => value === wanted[index])
    },
    { what: `${wanted.length} readings of a proper device in the history`, timeoutMs: 30_000 },
  ).catch((error: unknown) => report.faults.push(String(error)))
}

async function addCredentials(folder: string): Promise<void> {
  const registry = await openSqliteRegistry({ file: join(folder, 'registry.sqlite') })
  await registry.addCredential({
    username: CREDENTIAL.username,
    access: 'password',
    secretHash: hashSecret(CREDENTIAL.password),
    previous: null,
    scope: { type: 'gateway', prefix: 'fuzz-' },
    createdAtMs: Date.now(),
  })
  await registry.close()
}
