import type { Duplex } from 'node:stream'
import { createPacketMeter, type MeterVerdict } from './meter.ts'
import type { PublishLane } from './publish-lane.ts'
import type { RateReason, Throttle } from './throttle.ts'

/** Why a stream is closed. */
export type GuardVerdict = MeterVerdict | { reason: RateReason }

export interface GuardOptions {
  /** Remaining length allowed for the first packet, the CONNECT. */
  connectBytes: number
  /** Bytes written and not yet taken by the client, beyond which nothing more is read from it. */
  unreadBytes: number
  /** False while the connection has enough in flight: nothing is read, TCP holds the sender back. */
  mayRead: () => boolean
  /** Called once; the stream is destroyed afterwards. */
  onRefused: (verdict: GuardVerdict) => void
}

export interface Guard {
  /** The client is known: what comes behind its CONNECT may be read, and its PUBLISHes take the lane. */
  open(options: { limitBytes: number; throttle: Throttle | undefined; lane: PublishLane }): void
  /** Takes up reading again where it was held back before. */
  resume(): void
  /** What has come waits to be read. */
  isHeld(): boolean
  /** Whether something was read since the last time this was asked. */
  takeHeard(): boolean
  refuse(verdict: GuardVerdict): void
}

/**
 * Looks at each packet's announced length before Aedes' parser buffers for it: Aedes bounds no packet, so 200 MB would
 * be collected for one. Until the client is known it hands over the first packet alone, because Aedes queues what comes
 * behind; that and all else which must wait stays in the stream, whose buffer is bounded, and then in TCP's. The
 * stream's own `read` is wrapped instead of piping through a second stream, because a stream costs more per chunk than
 * all of this.
 */
export function guardStream(stream: Duplex, options: GuardOptions): Guard {
  const readOn = stream.read.bind(stream) as (size?: number) => Buffer | null
  const meter = createPacketMeter(options.connectBytes)
  let throttle: Throttle | undefined
  let lane: PublishLane | undefined
  let isOpen = false
  /** Before `open`: the first packet has not begun. */
  let packetsBefore = 1
  let held = false
  let waitsForDrain = false
  let heard = false

  const refuse = (verdict: GuardVerdict): void => {
    if (stream.destroyed) return
    options.onRefused(verdict)
    stream.destroy()
  }

  const resume = (): void => {
    if (!held) return
    held = false
    stream.emit('readable')
  }

  const isAnswered = (): boolean => {
    if (stream.writableLength <= options.unreadBytes) return true
    if (!waitsForDrain) {
      waitsForDrain = true
      stream.once('drain', () => {
        waitsForDrain = false
        resume()
      })
    }
    return false
  }

  const mayRead = (): boolean => {
    if (!isOpen) return packetsBefore > 0 || !meter.isBetweenPackets()
    return isAnswered() && options.mayRead() && (!throttle || throttle.mayRead())
  }

  /** How much of a chunk may be handed over; -1 when the stream has been refused. */
  const measure = (chunk: Buffer): number => {
    const messages = isOpen ? throttle?.messages() : packetsBefore
    const taken = meter.take(chunk, messages, throttle?.bytes())
    if (taken < 0) refuse(meter.verdict() ?? { reason: 'malformed-length' })
    else if (!isOpen) packetsBefore -= meter.messages()
    else throttle?.spend(meter.messages(), taken, taken === chunk.length)
    return taken
  }

  /**
   * All that is buffered. Node gives one piece a call, and Aedes calls again only when a packet is complete: one that
   * lies in two pieces would wait for a third.
   */
  const readAll = (size?: number): Buffer | null => {
    const first = readOn(size)
    if (first === null || stream.readableLength === 0) return first
    const pieces = [first]
    for (let next = readOn(); next !== null; next = stream.readableLength > 0 ? readOn() : null) {
      pieces.push(next)
    }
    return Buffer.concat(pieces)
  }

  /** The next that does not take the lane. */
  const read = (size?: number): Buffer | null => {
    for (;;) {
      // What is still in a closed stream comes again, or is nobody's any more.
      if (stream.destroyed) return null
      held = !mayRead()
      if (held) return null
      const chunk = readAll(size)
      if (chunk === null) return null
      heard = true
      const taken = measure(chunk)
      if (taken < 0) return null
      held = taken < chunk.length
      if (held) stream.unshift(chunk.subarray(taken))
      const part = held ? chunk.subarray(0, taken) : chunk
      const passed = lane ? lane.pass(part) : part
      // Else once more, also when something was left behind: only what is not read now is resumed later.
      if (passed && passed.length > 0) return passed
    }
  }

  // Node itself calls read(0) to fill its bounded buffer; no bytes leave by it.
  stream.read = (size?: number): Buffer | null => (size === 0 ? readOn(0) : read(size))

  return {
    open(opened) {
      meter.setLimit(opened.limitBytes)
      throttle = opened.throttle
      lane = opened.lane
      isOpen = true
    },
    resume,
    isHeld: () => held,
    takeHeard() {
      const wasHeard = heard
      heard = false
      return wasHeard
    },
    refuse,
  }
}
