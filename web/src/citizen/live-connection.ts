import type { LiveEvent } from '@pulso/model'

export type ConnectionStatus = 'connecting' | 'live' | 'lost'

/** What we use of the browser's EventSource. */
export interface EventStream {
  addEventListener(type: string, listener: (event: MessageEvent<string>) => void): void
  close(): void
}

export interface LiveConnectionOptions {
  open: (address: string) => EventStream
  onSnapshot: (event: LiveEvent, kind: string) => void
  onDelta: (event: LiveEvent, kind: string) => void
  onStatus: (status: ConnectionStatus) => void
  /** Runs `action` after a while and gives a way to call it off. */
  schedule: (action: () => void, delayMs: number) => () => void
  /** 0 to below 1. */
  random: () => number
}

export interface LiveConnection {
  /** Follows one kind from now on. */
  follow(kind: string): void
  /** Tries again at once, where the connection is lost: the device is back online or in someone's hand. */
  retryNow(): void
  stop(): void
}

/** The browser's own retry knows no back-off and gives up on an error page, so we do it ourselves. */
export function createLiveConnection(options: LiveConnectionOptions): LiveConnection {
  let stream: EventStream | undefined
  let cancelRetry: (() => void) | undefined
  let kind: string | undefined
  let failures = 0

  function connect(): void {
    disconnect()
    if (kind === undefined) return
    const followed = kind
    const opened = options.open(`/api/v1/live?kinds=${encodeURIComponent(followed)}`)
    stream = opened
    opened.addEventListener('snapshot', ({ data }) => {
      if (stream !== opened) return
      failures = 0
      options.onSnapshot(JSON.parse(data) as LiveEvent, followed)
      options.onStatus('live')
    })
    opened.addEventListener('delta', ({ data }) => {
      if (stream === opened) options.onDelta(JSON.parse(data) as LiveEvent, followed)
    })
    opened.addEventListener('error', () => {
      if (stream !== opened) return
      disconnect()
      options.onStatus('lost')
      cancelRetry = options.schedule(connect, retryDelayMs(failures, options.random()))
      failures++
    })
  }

  function disconnect(): void {
    cancelRetry?.()
    cancelRetry = undefined
    stream?.close()
    stream = undefined
  }

  return {
    follow(wanted) {
      if (wanted === kind) return
      kind = wanted
      failures = 0
      connect()
    },
    retryNow() {
      if (!stream && kind !== undefined) connect()
    },
    stop() {
      kind = undefined
      disconnect()
    },
  }
}

const FIRST_RETRY_MS = 1_000
const LONGEST_RETRY_MS = 30_000

/** Doubles from 1 s to 30 s; the second half is random, so that a thousand phones do not come back at once. */
export function retryDelayMs(failures: number, random: number): number {
  const fullMs = Math.min(FIRST_RETRY_MS * 2 ** failures, LONGEST_RETRY_MS)
  return fullMs / 2 + (random * fullMs) / 2
}
