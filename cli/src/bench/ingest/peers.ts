import { connectControl } from '../../control.ts'
import type { Administration } from '../../administration.ts'
import { loadKind, loadSensorIds, type LoadOptions, type LoadRun, type RunOptions } from '@pulso/simulators'
import { AppError } from '@pulso/model'
import { spawnBox, spawnProgram } from '../process.ts'

/** Something that the same load can be sent to. */
export interface Peer {
  host: string
  port: number
  username: string
  password: string
  pid: number
  stop(): Promise<unknown>
}

/** A peer that keeps what it takes, and says how it stands. */
export interface BoxPeer extends Peer {
  /** Where its HTTP interface is. */
  http: string
  metrics(): Promise<ReadonlyMap<string, number>>
}

const PREFIX = 'load-'
const GATEWAY = 'load'

/** Aedes as it comes: it asks nobody's name and keeps nothing. */
export async function startRawAedes(): Promise<Peer> {
  const program = spawnProgram('./raw-aedes.ts')
  const { port } = (await program.answer()) as { port: number }
  return { host: '127.0.0.1', port, username: GATEWAY, password: '', pid: program.pid, stop: program.stop }
}

/** A box on an empty folder that knows the load's sensors. */
export async function startBoxPeer(
  folder: string,
  sensors: number,
  variables: Record<string, string> = {},
): Promise<BoxPeer> {
  const box = await spawnBox(folder, [], variables)
  const control = await connectControl<Administration>(folder)
  if (!control) throw new AppError('bench-failed', 'The box that was just started is gone')
  const { username, password } = await control.provideGateway({
    username: GATEWAY,
    prefix: PREFIX,
    sensors: loadSensorIds({ prefix: PREFIX, sensors }).map((id) => ({
      id,
      kind: loadKind(),
      name: null,
      position: null,
      attributes: {},
    })),
  })
  const { mqtt, http } = box.report
  return {
    ...mqtt,
    username,
    password,
    pid: box.pid,
    http,
    stop: box.stop,
    metrics: async () => parseMetrics(await (await fetch(`${http}/metrics`)).text()),
  }
}

export interface LoadClient {
  run(options: RunOptions): Promise<LoadRun>
  stop(): Promise<unknown>
}

/** Opens the load's connections to a peer, in a process of their own. */
export async function startLoad(
  { host, port, username, password }: Peer,
  shape: Pick<LoadOptions, 'connections' | 'sensors' | 'inFlight'>,
): Promise<LoadClient> {
  const program = spawnProgram('./load-process.ts')
  program.tell({ host, port, username, password, prefix: PREFIX, ...shape } satisfies LoadOptions)
  await program.answer()
  return {
    async run(options) {
      program.tell(options)
      return (await program.answer()) as LoadRun
    },
    stop: program.stop,
  }
}

/** Names with their labels, as Prometheus' text says them, and their values. */
export function parseMetrics(text: string): Map<string, number> {
  const values = new Map<string, number>()
  for (const line of text.split('\n')) {
    const space = line.lastIndexOf(' ')
    if (!line.startsWith('#') && space > 0) values.set(line.slice(0, space), Number(line.slice(space + 1)))
  }
  return values
}
