import { performance } from 'node:perf_hooks'
import { fault } from './faults.ts'
import type { SourceLimits } from './limits.ts'
import type { Link } from './link.ts'
import type { Window } from './window.ts'

export interface Pings {
  tick(nowMs: number): void
  /** Something came: the answers to our questions may stand behind much else. */
  heard(): void
  /** A PINGRESP. */
  answered(): void
}

export interface PingsOptions {
  link: Link
  window: Window
  limits: Pick<SourceLimits, 'keepaliveMs' | 'answerMs' | 'redeliveryMs'>
  /** True while we do not read because of ourselves: then a broker that is not heard is not silent. */
  isHeld: () => boolean
}

const PINGREQ = Buffer.of(0xc0, 0)

/**
 * Keeps the connection alive, and asks the broker whether our acknowledgements have arrived: it answers a PINGREQ after
 * it has taken what came before it.
 */
export function createPings({ link, window, limits, isHeld }: PingsOptions): Pings {
  /** What each PINGRESP to come will answer; null for keep-alive alone. */
  const asked: (number | null)[] = []
  const startMs = performance.now()
  let heardMs = startMs
  let sentMs = startMs
  let isSettled = false
  /** Well before the broker would give us up. */
  const pingMs = limits.keepaliveMs / 2

  const send = (nowMs: number): void => {
    if (asked.length === 0) heardMs = nowMs
    asked.push(window.ask())
    sentMs = nowMs
    link.write(PINGREQ)
  }

  return {
    tick(nowMs) {
      if (isHeld()) {
        heardMs = nowMs
        // The broker wants to hear from us all the same.
        if (nowMs - sentMs >= pingMs) send(nowMs)
        return
      }
      if (asked.length > 0 && nowMs - heardMs > limits.answerMs) {
        link.close(fault('source-silent', `The broker has not answered for ${limits.answerMs} ms`))
        return
      }
      if (!isSettled && nowMs - startMs > limits.redeliveryMs) {
        isSettled = true
        window.forgetCarried()
      }
      if (asked.length > 0) return
      if (nowMs - sentMs >= pingMs || window.hasAcknowledged()) send(nowMs)
    },
    heard() {
      heardMs = performance.now()
    },
    answered() {
      const question = asked.shift()
      if (question !== undefined && question !== null) window.confirm(question)
    },
  }
}
