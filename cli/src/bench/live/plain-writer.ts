/**
 * The peer: bare sockets that are written to at the feed's rhythm. It is told in a line of JSON how many bytes each of them
 * gets, writes so often, and answers with the CPU that this took.
 */
import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import type { PlainResult, PlainTask } from './peers.ts'

const sockets: Socket[] = []
const server = createServer({ noDelay: true }, (socket) => {
  socket.on('error', () => undefined)
  sockets.push(socket.resume())
})
server.listen(0, '127.0.0.1')
await once(server, 'listening')
answer({ port: (server.address() as AddressInfo).port })
process.once('SIGINT', () => process.exit(0))
for await (const line of createInterface({ input: process.stdin })) {
  answer(await write(JSON.parse(line) as PlainTask))
}

async function write({ sizes, everyMs, times }: PlainTask): Promise<PlainResult> {
  const source = Buffer.alloc(Math.max(1, ...sizes), 'x')
  const pieces = sizes.map((size) => source.subarray(0, size))
  const cpuBefore = process.threadCpuUsage()
  const startedAt = performance.now()
  for (let time = 1; time <= times; time++) {
    await sleep(Math.max(0, startedAt + time * everyMs - performance.now()))
    for (const [index, socket] of sockets.entries()) socket.write(pieces[index] ?? source)
  }
  const { user, system } = process.threadCpuUsage(cpuBefore)
  return { cpuMs: (user + system) / 1_000, writes: times * sockets.length }
}

function answer(message: object): void {
  process.stdout.write(`${JSON.stringify(message)}\n`)
}
