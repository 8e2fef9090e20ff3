import assert from 'node:assert/strict'
import { it } from 'node:test'
import { createPoller } from '../src/ops/poller.ts'

/** A page and a clock in the test's hands. */
function createPage() {
  let nowMs = 0
  let visible = true
  const waiting = new Map<number, { callback: () => void; atMs: number }>()
  const listeners = new Set<() => void>()
  let lastTimer = 0
  return {
    isVisible: () => visible,
    onVisibility: (listener: () => void) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    timers: {
      now: () => nowMs,
      set: (callback: () => void, delayMs: number) => {
        waiting.set(++lastTimer, { callback, atMs: nowMs + delayMs })
        return lastTimer
      },
      clear: (timer: unknown) => void waiting.delete(timer as number),
    },
    show(isShown: boolean) {
      visible = isShown
      for (const listener of listeners) listener()
    },
    /** Lets time pass, and the promises of what it triggered settle. */
    async pass(ms: number) {
      nowMs += ms
      for (const [timer, { callback, atMs }] of waiting) {
        if (atMs > nowMs) continue
        waiting.delete(timer)
        callback()
      }
      await new Promise((resolve) => setImmediate(resolve))
    },
    waiting,
    listeners,
  }
}

it('asks at once and then once an interval', async () => {
  const page = createPage()
  let asked = 0
  const count = async () => {
    asked++
  }
  const poller = createPoller({ ...page, intervalMs: () => 2_000, run: count })
  poller.start()
  await page.pass(0)
  assert.equal(asked, 1)
  await page.pass(1_999)
  assert.equal(asked, 1)
  await page.pass(1)
  assert.equal(asked, 2)
  poller.stop()
})

it('never has two questions under way, however slow the box', async () => {
  const page = createPage()
  let asked = 0
  let answer: () => void = () => undefined
  const run = () => {
    asked++
    return new Promise<void>((resolve) => (answer = resolve))
  }
  const poller = createPoller({ ...page, intervalMs: () => 2_000, run })
  poller.start()
  await page.pass(60_000)
  assert.equal(asked, 1)
  answer()
  await page.pass(0)
  await page.pass(0)
  assert.equal(asked, 2)
  poller.stop()
})

it('rests while the page is hidden and asks at once when it is seen again', async () => {
  const page = createPage()
  let asked = 0
  const count = async () => {
    asked++
  }
  const poller = createPoller({ ...page, intervalMs: () => 2_000, run: count })
  poller.start()
  await page.pass(0)
  page.show(false)
  await page.pass(60_000)
  assert.equal(asked, 1)
  page.show(true)
  await page.pass(0)
  assert.equal(asked, 2)
  poller.stop()
})

it('drops the older question when it is asked anew', async () => {
  const page = createPage()
  const signals: AbortSignal[] = []
  const run = (signal: AbortSignal) => {
    signals.push(signal)
    return new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
  }
  const poller = createPoller({ ...page, intervalMs: () => 2_000, run })
  poller.start()
  poller.now()
  await page.pass(0)
  assert.deepEqual(
    signals.map(({ aborted }) => aborted),
    [true, false],
  )
  poller.stop()
  await page.pass(0)
})

it('leaves nothing behind when it is stopped', async () => {
  const page = createPage()
  let asked = 0
  const count = async () => {
    asked++
  }
  const poller = createPoller({ ...page, intervalMs: () => 2_000, run: count })
  poller.start()
  await page.pass(0)
  poller.stop()
  poller.now()
  await page.pass(10_000)
  assert.equal(asked, 1)
  assert.equal(page.waiting.size + page.listeners.size, 0)
})
