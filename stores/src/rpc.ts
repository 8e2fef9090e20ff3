import { MessagePort } from 'node:worker_threads'
import { AppError, toAppError } from '@pulso/model'

/**
 * Calls between threads: `serveRpc` on one end of a message channel, `createRpcClient` on the other. Arguments and
 * results are structured clones, but for message ports among the arguments, which move to the other side; errors arrive
 * as `AppError` with their code.
 */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- any method of any shape; callers are typed by the client
type Methods = Record<string, (...args: any[]) => unknown>

interface Call {
  id: number
  method: string
  args: unknown[]
}

interface WireError {
  code: string
  message: string
  retryable: boolean
  status: number
}

type Answer = { id: number } & ({ result: unknown } | { error: WireError })

/** The methods of `T` as seen from another thread: each returns a promise. */
export type RpcClient<T> = {
  [K in keyof T as T[K] extends (...args: never[]) => unknown ? K : never]: T[K] extends (
    ...args: infer A
  ) => infer R
    ? (...args: A) => Promise<Awaited<R>>
    : never
}

/**
 * Answers calls that arrive on the port until it closes. Methods that are still being made ready keep their callers
 * waiting; when that fails, each call fails with its error.
 */
export function serveRpc(port: MessagePort, methods: Methods | Promise<Methods>): void {
  // The error is not swallowed: every call reports it.
  if (methods instanceof Promise) methods.catch(() => undefined)
  port.on('message', (call: Call) => {
    void answer(call, methods).then((reply) => {
      try {
        port.postMessage(reply)
      } catch (error) {
        // A result that cannot be copied is the method's fault, and its caller must not wait for ever.
        port.postMessage({ id: call.id, error: toWireError(error) } satisfies Answer)
      }
    })
  })
}

async function answer(call: Call, ready: Methods | Promise<Methods>): Promise<Answer> {
  try {
    const methods = await ready
    const method = Object.hasOwn(methods, call.method) ? methods[call.method] : undefined
    if (!method) throw new AppError('unknown-method', `Nothing answers '${call.method}'`)
    return { id: call.id, result: await method(...call.args) }
  } catch (thrown) {
    return { id: call.id, error: toWireError(thrown) }
  }
}

function toWireError(thrown: unknown): WireError {
  const { code, message, retryable, status } = toAppError(thrown)
  return { code, message, retryable, status }
}

/**
 * A client for what the other end serves. Calls under way when the port closes fail with `thread-gone` (retryable).
 */
export function createRpcClient<T>(port: MessagePort): RpcClient<T> {
  const pending = new Map<number, { resolve: (value: unknown) => void; reject: (error: AppError) => void }>()
  let lastId = 0
  let closed = false

  port.on('message', (reply: Answer) => {
    const call = pending.get(reply.id)
    pending.delete(reply.id)
    if ('error' in reply) call?.reject(new AppError(reply.error.code, reply.error.message, reply.error))
    else call?.resolve(reply.result)
  })
  port.on('close', () => {
    closed = true
    for (const call of pending.values()) call.reject(gone())
    pending.clear()
  })

  const call = (method: string, args: unknown[]): Promise<unknown> => {
    if (closed) return Promise.reject(gone())
    const id = ++lastId
    return new Promise((resolve, reject) => {
      pending.set(id, { resolve, reject })
      const ports = args.filter((arg) => arg instanceof MessagePort)
      port.postMessage({ id, method, args } satisfies Call, ports)
    })
  }
  return new Proxy({} as RpcClient<T>, {
    // A promise-like client would be called by `await`, so it has no `then`.
    get: (_, method) =>
      typeof method === 'string' && method !== 'then'
        ? (...args: unknown[]) => call(method, args)
        : undefined,
  })
}

function gone(): AppError {
  return new AppError('thread-gone', 'The other thread has ended', { retryable: true, status: 503 })
}
