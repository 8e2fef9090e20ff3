import { CHAOS_KINDS, LIGHTING, MAX_SERIAL, toExtraValue, type ChaosKind } from './kinds.ts'
import type { Ledger, SensorAccount } from './ledger.ts'
import type { ChaosSensor, Intent, Message, SensorUse, Value } from './message.ts'
import type { Random } from './random.ts'

/** Of a thousand messages, how many are what. The rest are plain readings. */
export type Mix = Readonly<Partial<Record<Exclude<Intent, 'reading'>, number>>>

export const EVERYDAY_MIX: Mix = {
  late: 60,
  batch: 50,
  duplicate: 60,
  correction: 40,
  'fill-in': 40,
  'exactly-once': 50,
  'best-effort': 30,
  untimed: 50,
  bad: 3,
}

export interface MessagesOptions {
  random: Random
  ledger: Ledger
  connections: number
  /** All ids start with it. */
  prefix: string
  mix: Mix
  nowMs: number
}

/** What the devices of each connection say next. A sensor belongs to one connection, so its order is known. */
export interface Messages {
  next(connection: number): Message
}

interface Fleet {
  timed: SensorAccount[]
  untimed: SensorAccount[]
  bestEffort: SensorAccount[]
  bad: SensorAccount[]
}

const TIMED_PER_CONNECTION = 6
/** New readings begin here before now, and stay behind it; late ones go back from further away. */
const BEHIND_MS = 10 * 60_000
const LATE_MS = 2 * 3_600_000

export function createMessages(options: MessagesOptions): Messages {
  const { random, ledger, mix, nowMs } = options
  let number = 0
  const nextMs = new Map<string, number>()
  const lateMs = new Map<string, number>()
  const fleets = Array.from({ length: options.connections }, (_, index) => createFleet(options, index))

  const newTime = ({ sensor }: SensorAccount): number => {
    const timeMs = (nextMs.get(sensor.id) ?? nowMs - BEHIND_MS) + random.between(1, 60)
    nextMs.set(sensor.id, timeMs)
    return timeMs
  }
  const lateTime = ({ sensor }: SensorAccount): number => {
    const timeMs = (lateMs.get(sensor.id) ?? nowMs - LATE_MS) - random.between(1, 200)
    lateMs.set(sensor.id, timeMs)
    return timeMs
  }
  const build = (
    { sensor }: SensorAccount,
    parts: Pick<Message, 'intent' | 'readings'> & Partial<Message>,
  ): Message => {
    const { readings } = parts
    const objects = readings.map(({ timeMs, values }) => ({ time: timeMs, ...values }))
    const json = JSON.stringify(objects.length === 1 ? objects[0] : objects)
    const topic = `pulso/${sensor.kind.id}/${sensor.id}/telemetry`
    return { number, qos: 1, sensor, topic, payload: json, sends: 0, ...parts }
  }
  const serialValues = ({ serialMetric, toSerialValue }: ChaosKind): Record<string, Value> => {
    if (number >= MAX_SERIAL) throw new Error(`a run may have ${MAX_SERIAL} messages at most`)
    return { [serialMetric]: toSerialValue(number) }
  }
  const fresh = (account: SensorAccount, intent: Intent, qos: 0 | 1 | 2 = 1): Message => {
    const timeMs = intent === 'late' ? lateTime(account) : newTime(account)
    const values = serialValues(account.sensor.kind)
    return build(account, { intent, qos, readings: [{ timeMs, values }] })
  }
  /** Says something about a reading that is acknowledged and has nothing in flight: then what comes last is known. */
  const again = (account: SensorAccount, intent: 'duplicate' | 'correction' | 'fill-in'): Message => {
    const timeMs = takeSettled(account, random)
    const known = timeMs === undefined ? undefined : account.readings.get(timeMs)
    if (timeMs === undefined || !known) return fresh(account, 'reading')
    const { kind } = account.sensor
    const values = {
      duplicate: { ...known.values },
      correction: serialValues(kind),
      'fill-in': { [kind.extraMetric]: toExtraValue(number) },
    }[intent]
    return build(account, { intent, readings: [{ timeMs, values }] })
  }

  const makers: Record<Intent, (fleet: Fleet) => Message> = {
    reading: ({ timed }) => fresh(random.pick(timed), 'reading'),
    late: ({ timed }) => fresh(random.pick(timed), 'late'),
    batch({ timed }) {
      const account = random.pick(timed)
      const values = serialValues(account.sensor.kind)
      const readings = Array.from({ length: random.between(2, 5) }, () => ({
        timeMs: newTime(account),
        values,
      }))
      return build(account, { intent: 'batch', readings })
    },
    duplicate: ({ timed }) => again(random.pick(timed), 'duplicate'),
    correction: ({ timed }) => again(random.pick(timed), 'correction'),
    'fill-in': ({ timed }) => again(random.pick(timed), 'fill-in'),
    'exactly-once': ({ timed }) => fresh(random.pick(timed), 'exactly-once', 2),
    'best-effort': ({ bestEffort }) => fresh(random.pick(bestEffort), 'best-effort', 0),
    untimed({ untimed }) {
      const account = random.pick(untimed)
      const payload = JSON.stringify(serialValues(account.sensor.kind))
      return build(account, { intent: 'untimed', readings: [], payload, serial: number })
    },
    bad({ bad }) {
      const payload = `{"energy": ${number}, "powerState":`
      return build(random.pick(bad), { intent: 'bad', readings: [], payload })
    },
  }

  return {
    next(connection) {
      const fleet = fleets[connection]
      if (!fleet) throw new Error(`there is no connection ${connection}`)
      number++
      return makers[drawIntent(mix, random)](fleet)
    },
  }

  function createFleet({ prefix }: MessagesOptions, index: number): Fleet {
    const add = (use: SensorUse, count: number): SensorAccount[] =>
      Array.from({ length: count }, (_, each) => {
        const kind = use === 'timed' ? (CHAOS_KINDS[each % CHAOS_KINDS.length] ?? LIGHTING) : LIGHTING
        const sensor: ChaosSensor = { id: `${prefix}${index}-${use}-${each}`, kind, use }
        return ledger.addSensor(sensor)
      })
    return {
      timed: add('timed', TIMED_PER_CONNECTION),
      untimed: add('untimed', 1),
      bestEffort: add('best-effort', 1),
      bad: add('bad', 1),
    }
  }
}

function drawIntent(mix: Mix, random: Random): Intent {
  let drawn = random.between(0, 999)
  for (const [intent, share] of Object.entries(mix) as [Intent, number][]) {
    if (drawn < share) return intent
    drawn -= share
  }
  return 'reading'
}

function takeSettled({ settled }: SensorAccount, random: Random): number | undefined {
  if (settled.length === 0) return undefined
  const [timeMs] = settled.splice(random.between(0, settled.length - 1), 1)
  return timeMs
}
