import { chmodSync, rmSync } from 'node:fs'
import { createConnection, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { AppError, messageOf, toAppError } from '@pulso/model'
import type { RpcClient } from '@pulso/stores'

/** A call to the running box: one line of JSON there, one line back. */
interface Call {
  method: string
  args: unknown[]
}

type Answer = { result: unknown } | { error: { code: string; message: string; status: number } }

/** A day's worth of provisioning fits; a runaway client does not. */
const MAX_CALL_BYTES = 64 * 1024 * 1024

type Methods = object

export interface ControlServer {
  stop(): Promise<void>
}

/** Lets commands of the same user reach this process through `{dataDir}/control.sock`. */
export async function serveControl(dataDir: string, methods: Methods): Promise<ControlServer> {
  const path = socketPath(dataDir)
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    answerOn(socket, methods as Record<string, unknown>)
  })
  try {
    // The folder's lock is ours, so a socket file that is still here belongs to a dead process.
    rmSync(path, { force: true })
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(path, resolve)
    })
    chmodSync(path, 0o600)
  } catch (cause) {
    const message = `The control socket ${path} cannot be made: ${messageOf(cause)}`
    throw new AppError('cannot-listen', message, { cause })
  }
  return {
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}

function answerOn(socket: Socket, methods: Record<string, unknown>): void {
  let received = 0
  socket.on('data', (chunk) => {
    received += chunk.length
    if (received > MAX_CALL_BYTES) socket.destroy()
  })
  createInterface({ input: socket }).once('line', (line) => {
    void answer(line, methods).then((reply) => socket.end(`${JSON.stringify(reply)}\n`))
  })
}

async function answer(line: string, methods: Record<string, unknown>): Promise<Answer> {
  try {
    const { method, args } = JSON.parse(line) as Call
    const handler = Object.hasOwn(methods, method) ? methods[method] : undefined
    if (typeof handler !== 'function')
      throw new AppError(
        'unknown-method',
        `The running box does not know '${method}'; is it another version?`,
      )
    return { result: await (handler as (...args: unknown[]) => unknown)(...args) }
  } catch (thrown) {
    const { code, message, status } = toAppError(thrown)
    return { error: { code, message, status } }
  }
}

/** A client of the running box, or `undefined` when none runs on this folder. */
export async function connectControl<T extends object>(dataDir: string): Promise<RpcClient<T> | undefined> {
  const probe = await open(dataDir)
  if (!probe) return undefined
  probe.destroy()
  return new Proxy({} as RpcClient<T>, {
    get: (_, method) =>
      typeof method === 'string' && method !== 'then'
        ? (...args: unknown[]) => call(dataDir, { method, args })
        : undefined,
  })
}

async function call(dataDir: string, request: Call): Promise<unknown> {
  const socket = await open(dataDir)
  if (!socket) throw new AppError('box-gone', 'The box has stopped meanwhile; try again', { retryable: true })
  socket.write(`${JSON.stringify(request)}\n`)
  for await (const line of createInterface({ input: socket })) {
    const reply = JSON.parse(line) as Answer
    if ('error' in reply)
      throw new AppError(reply.error.code, reply.error.message, { status: reply.error.status })
    return reply.result
  }
  throw new AppError('box-gone', 'The box stopped before it answered; look whether the change was made', {
    retryable: true,
  })
}

function open(dataDir: string): Promise<Socket | undefined> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(socketPath(dataDir), () => resolve(socket))
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED' || error.code === 'ENOTDIR')
        resolve(undefined)
      else reject(error)
    })
  })
}

function socketPath(dataDir: string): string {
  return join(dataDir, 'control.sock')
}
