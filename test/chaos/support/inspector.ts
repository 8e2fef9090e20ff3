import { once } from 'node:events'
import type { BoxProcess } from './box-process.ts'
import { waitFor } from '../../support/wait.ts'

/** Where a thread's main file lies tells which thread it is. */
export const THREADS = ['broker-thread', 'ingest-thread', 'commit-thread'] as const
export type ThreadName = (typeof THREADS)[number]

interface Attached {
  sessionId: string
  workerInfo: { url: string }
}

/** The option of Node with which a box lets a debugger in, on a free port. */
export const INSPECT = '--inspect=0'

/** Runs an expression in one thread of a running box, as anybody could with a debugger: the box has no hook for it. */
export async function evaluateInThread(
  box: BoxProcess,
  { thread, expression }: { thread: ThreadName; expression: string },
): Promise<void> {
  const address = await waitFor(() => /Debugger listening on (ws:\S+)/.exec(box.log())?.[1], {
    what: 'the debugger’s address',
  })
  const socket = new WebSocket(address)
  await once(socket, 'open')
  try {
    const attached: Attached[] = []
    const done = Promise.withResolvers<undefined>()
    socket.addEventListener('message', ({ data }) => {
      const { method, params } = JSON.parse(String(data)) as { method?: string; params?: Attached }
      if (method === 'NodeWorker.attachedToWorker' && params) attached.push(params)
      // It has answered, or ended before it could.
      if (method === 'NodeWorker.receivedMessageFromWorker' || method === 'NodeWorker.detachedFromWorker') {
        done.resolve(undefined)
      }
    })
    socket.addEventListener('close', () => done.resolve(undefined))
    const send = (method: string, params: object): void =>
      socket.send(JSON.stringify({ id: 1, method, params }))
    send('NodeWorker.enable', { waitForDebuggerOnStart: false })
    const { sessionId } = await waitFor(
      () => attached.find(({ workerInfo }) => workerInfo.url.includes(thread)),
      { what: `the thread ${thread} among ${attached.map(({ workerInfo }) => workerInfo.url).join()}` },
    )
    const message = JSON.stringify({ id: 1, method: 'Runtime.evaluate', params: { expression } })
    send('NodeWorker.sendMessageToWorker', { sessionId, message })
    await done.promise
  } finally {
    // A process that a debugger looks at does not end.
    socket.close()
  }
}
