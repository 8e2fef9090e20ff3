import { monitorEventLoopDelay } from 'node:perf_hooks'
import { MessageChannel, Worker, workerData, type MessagePort, type Transferable } from 'node:worker_threads'
import { AppError } from '@pulso/model'
import { createRpcClient, serveRpc, type RpcClient } from '@pulso/stores'
import { Counter, Gauge, type MetricObjectWithValues, type MetricValue, type Registry } from 'prom-client'

/** A part that runs in a thread of its own, so that its work cannot stall the others. */
export interface Thread<T> {
  client: RpcClient<T & ThreadMethods>
  /** Ends the thread; its part has been stopped by then. */
  end(): Promise<void>
}

export interface ThreadMethods {
  metrics(): Promise<MetricObjectWithValues<MetricValue<string>>[]>
}

export interface ThreadOptions<Data> {
  /** The thread's main file. */
  file: URL
  data: Data
  transferList?: readonly Transferable[]
  /** The thread ended although nobody ended it: the box cannot go on. */
  onFailure(error: AppError): void
}

type WithPort<Data> = Data & { rpcPort: MessagePort }

export function spawnThread<T, Data extends object = object>(options: ThreadOptions<Data>): Thread<T> {
  const { port1, port2 } = new MessageChannel()
  const data: WithPort<Data> = { ...options.data, rpcPort: port2 }
  const worker = new Worker(options.file, {
    workerData: data,
    transferList: [port2, ...(options.transferList ?? [])],
  })
  let isEnding = false
  worker.on('error', (cause: Error) => {
    options.onFailure(new AppError('thread-failed', `A part of the box failed: ${cause.message}`, { cause }))
  })
  worker.on('exit', (code) => {
    if (!isEnding)
      options.onFailure(new AppError('thread-failed', `A part of the box ended with code ${code}`))
  })
  return {
    client: createRpcClient<T & ThreadMethods>(port1),
    async end() {
      isEnding = true
      await worker.terminate()
      port1.close()
    },
  }
}

/** What the starter of this thread gave it. */
export function threadData<Data extends object>(): WithPort<Data> {
  return workerData as WithPort<Data>
}

export interface ServeThreadOptions {
  name: string
  metrics: Registry
  /** Opens the part. Its error reaches the starter as the answer of every call. */
  open(): Promise<object>
}

/** Answers the starter's calls, and measures how long this thread keeps its own events waiting. */
export function serveThread({ name, metrics, open }: ServeThreadOptions): void {
  observeThread(name, metrics)
  const withMetrics = async (): Promise<Record<string, (...args: never[]) => unknown>> => ({
    ...(await open()),
    metrics: () => metrics.getMetricsAsJSON(),
  })
  serveRpc(threadData().rpcPort, withMetrics())
}

/** How long the thread kept its events waiting, and the CPU that its JavaScript took. */
export function observeThread(thread: string, metrics: Registry): void {
  const delay = monitorEventLoopDelay({ resolution: 10 })
  delay.enable()
  new Gauge({
    name: 'pulso_event_loop_delay_seconds',
    help: 'How long a thread kept its events waiting: 99th percentile since the last scrape.',
    labelNames: ['thread'],
    registers: [metrics],
    aggregator: 'max',
    collect() {
      this.set({ thread }, delay.percentile(99) / 1e9)
      delay.reset()
    },
  })
  new Counter({
    name: 'pulso_thread_cpu_seconds_total',
    help: 'CPU that a thread spent, without what the runtime does for it beside it.',
    labelNames: ['thread'],
    registers: [metrics],
    collect() {
      const { user, system } = process.threadCpuUsage()
      this.reset()
      this.inc({ thread }, (user + system) / 1e6)
    },
  })
}
