import type { ChaosSensor, Message, Values } from './message.ts'

/** A reading with a device time, as everything sent about it says it must be in the end. */
export interface Expected {
  values: Values
  /** Messages about it that are not acknowledged yet. */
  inFlight: number
  /** At least one message about it was acknowledged. */
  isAcknowledged: boolean
  /** The last message about it, and the kill it was sent after, to find it again. */
  message: number
  round: number
}

/** A reading without a device time, known by its serial number. */
export interface Untimed {
  sensorId: string
  sends: number
  isAcknowledged: boolean
  message: number
  round: number
}

/** What a sensor that only sends nonsense must have left in quarantine. */
export interface Nonsense {
  acknowledged: number
  sends: number
}

export interface SensorAccount {
  sensor: ChaosSensor
  /** By device time in ms. */
  readings: Map<number, Expected>
  /** Times with a reading that is acknowledged and has nothing in flight: what may be corrected or sent again. */
  settled: number[]
}

export interface Tally {
  sent: number
  resent: number
  /** Messages that the device may forget: PUBACK, or PUBREC with QoS 2. */
  acknowledged: number
}

/** The devices' own account of what they sent and what was acknowledged. It outlives every kill of the box. */
export interface Ledger {
  readonly accounts: ReadonlyMap<string, SensorAccount>
  readonly untimed: ReadonlyMap<number, Untimed>
  readonly nonsense: ReadonlyMap<string, Nonsense>
  readonly tally: Tally
  /** Kills so far. */
  round: number
  addSensor(sensor: ChaosSensor): SensorAccount
  /** To be called each time that the message goes out. */
  sent(message: Message): void
  acknowledged(message: Message): void
}

/** How many of a sensor's settled times are remembered for corrections and repetitions. */
const MAX_SETTLED = 200

export function createLedger(): Ledger {
  const accounts = new Map<string, SensorAccount>()
  const untimed = new Map<number, Untimed>()
  const nonsense = new Map<string, Nonsense>()
  const tally: Tally = { sent: 0, resent: 0, acknowledged: 0 }

  const accountOf = (message: Message): SensorAccount => {
    const account = accounts.get(message.sensor.id)
    if (!account) throw new Error(`nobody knows the sensor ${message.sensor.id}`)
    return account
  }

  const expect = (message: Message): void => {
    const { readings } = accountOf(message)
    for (const { timeMs, values } of message.readings) {
      const known = readings.get(timeMs)
      const place = { message: message.number, round: ledger.round }
      if (!known) {
        readings.set(timeMs, { values: { ...values }, inFlight: 1, isAcknowledged: false, ...place })
      } else {
        Object.assign(known.values, values)
        Object.assign(known, place)
        known.inFlight++
      }
    }
  }

  const settle = (message: Message): void => {
    const { readings, settled } = accountOf(message)
    for (const { timeMs } of message.readings) {
      const known = readings.get(timeMs)
      if (!known) continue
      known.inFlight--
      known.isAcknowledged = true
      if (known.inFlight > 0) continue
      settled.push(timeMs)
      if (settled.length > MAX_SETTLED) settled.shift()
    }
  }

  const ledger: Ledger = {
    accounts,
    untimed,
    nonsense,
    tally,
    round: 0,
    addSensor(sensor) {
      const account: SensorAccount = { sensor, readings: new Map(), settled: [] }
      accounts.set(sensor.id, account)
      return account
    },
    sent(message) {
      message.sends++
      if (message.sends === 1) {
        tally.sent++
        expect(message)
      } else tally.resent++
      const { serial, sensor, number, sends } = message
      if (serial !== undefined) {
        const place = { message: number, round: ledger.round }
        untimed.set(serial, { sensorId: sensor.id, sends, isAcknowledged: false, ...place })
      }
      if (sensor.use === 'bad') {
        const known = nonsense.get(sensor.id) ?? { acknowledged: 0, sends: 0 }
        nonsense.set(sensor.id, { ...known, sends: known.sends + 1 })
      }
    },
    acknowledged(message) {
      tally.acknowledged++
      settle(message)
      const known = message.serial === undefined ? undefined : untimed.get(message.serial)
      if (known) known.isAcknowledged = true
      const bad = nonsense.get(message.sensor.id)
      if (bad) bad.acknowledged++
    },
  }
  return ledger
}
