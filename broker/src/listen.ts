import type { Server } from 'node:net'
import { AppError } from '@pulso/model'

export interface ListenOptions {
  host: string
  port: number
  /** What is spoken there, for the error. */
  name: string
}

/**
 * Listens, and says in words why it cannot.
 * @returns the port, which 0 leaves to the system
 * @throws AppError `port-in-use`, `listen-failed`
 */
export function listen(server: Server, { host, port, name }: ListenOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException): void => {
      const [code, why] =
        error.code === 'EADDRINUSE'
          ? ['port-in-use', 'is in use by another program']
          : ['listen-failed', `cannot be listened on: ${error.message}`]
      reject(new AppError(code, `The port for ${name}, ${host}:${port}, ${why}`, { cause: error }))
    }
    server.once('error', fail)
    server.listen(port, host, () => {
      server.off('error', fail)
      const address = server.address()
      resolve(typeof address === 'object' && address ? address.port : port)
    })
  })
}
