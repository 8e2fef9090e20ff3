import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A real InfluxDB 1.x of a test's own. */
export interface Influxd {
  url: string
  /** Ends the server as a crash would; `start` brings it back on the same port with what it had kept. */
  kill(): Promise<void>
  start(): Promise<void>
  /** `SIGSTOP` and `SIGCONT`: it stands still and goes on, with its connections open. */
  signal(signal: NodeJS.Signals): void
  /** Ends it and removes its folder. */
  stop(): Promise<void>
}

const READY_WITHIN_MS = 20_000
const ATTEMPTS = 3

/** Why tests that need `influxd` are skipped here, or `false`. Under CI it must be there, so they run and fail. */
export function influxdMissing(): string | false {
  const isThere = spawnSync('influxd', ['version']).status === 0
  return isThere || process.env.CI === 'true'
    ? false
    : 'influxd is not installed (Debian: apt-get install influxdb)'
}

/** Starts `influxd` on free ports, with a configuration and folders of its own. */
export async function startInfluxd(): Promise<Influxd> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOnce()
    } catch (error) {
      // Somebody else may have taken the port between our looking and its binding.
      if (attempt === ATTEMPTS) throw error
    }
  }
}

async function startOnce(): Promise<Influxd> {
  const folder = await mkdtemp(join(tmpdir(), 'pulso-influxd-'))
  const [httpPort, rpcPort] = await freePorts()
  const url = `http://127.0.0.1:${httpPort}`
  await writeFile(join(folder, 'influxdb.conf'), toConfiguration({ folder, httpPort, rpcPort }))
  let child: ChildProcess | undefined

  const end = async (signal: NodeJS.Signals): Promise<void> => {
    const running = child
    child = undefined
    if (running?.exitCode !== null || running.signalCode !== null) return
    const exited = once(running, 'exit')
    running.kill(signal)
    await exited
  }
  const server: Influxd = {
    url,
    async start() {
      child = launch(folder)
      await untilReady(child, { url, folder })
    },
    kill: () => end('SIGKILL'),
    signal: (signal) => void child?.kill(signal),
    async stop() {
      await end('SIGTERM')
      await rm(folder, { recursive: true, force: true })
    },
  }
  try {
    await server.start()
    return server
  } catch (error) {
    await server.stop()
    throw error
  }
}

function launch(folder: string): ChildProcess {
  const child = spawn('influxd', ['-config', join(folder, 'influxdb.conf')], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, INFLUXDB_CONFIG_PATH: '' },
  })
  const log = createWriteStream(join(folder, 'influxd.log'), { flags: 'a' })
  child.stdout.pipe(log, { end: false })
  child.stderr.pipe(log, { end: false })
  child.once('close', () => log.end())
  return child
}

async function untilReady(
  child: ChildProcess,
  { url, folder }: { url: string; folder: string },
): Promise<void> {
  let ended: string | undefined
  child.once('error', (error) => (ended = error.message))
  child.once('exit', (code, signal) => (ended ??= `it ended with ${code ?? signal}`))
  const deadlineMs = performance.now() + READY_WITHIN_MS
  while (ended === undefined && performance.now() < deadlineMs) {
    const isReady = await fetch(`${url}/ping`).then(
      (response) => response.status === 204,
      () => false,
    )
    if (isReady) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  const log = await readFile(join(folder, 'influxd.log'), 'utf8').catch(() => '')
  throw new Error(`influxd did not start (${ended ?? 'it stays silent'}):\n${log.slice(-2_000)}`)
}

function toConfiguration({
  folder,
  httpPort,
  rpcPort,
}: {
  folder: string
  httpPort: number
  rpcPort: number
}): string {
  return `
reporting-disabled = true
bind-address = "127.0.0.1:${rpcPort}"
[meta]
  dir = "${folder}/meta"
[data]
  dir = "${folder}/data"
  wal-dir = "${folder}/wal"
  query-log-enabled = false
[monitor]
  store-enabled = false
[http]
  enabled = true
  bind-address = "127.0.0.1:${httpPort}"
  log-enabled = false
[logging]
  level = "warn"
`
}

/** Two ports that nobody holds at the moment. */
async function freePorts(): Promise<[number, number]> {
  const servers = [createServer(), createServer()] as const
  const [first, second] = await Promise.all(
    servers.map(async (server) => {
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
      return (server.address() as AddressInfo).port
    }),
  )
  for (const server of servers) {
    server.close()
    await once(server, 'close')
  }
  return [first ?? 0, second ?? 0]
}
