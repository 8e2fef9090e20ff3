import { HOUR_MS, MINUTE_MS, SECOND_MS, type Values } from '@pulso/model'
import type { PlannedSensor } from '../plan/planned-sensor.ts'
import { hashUnit, smoothNoise } from '../random.ts'
import {
  heartbeats,
  mergeTimes,
  round,
  type Behaviour,
  type LightingNight,
  type Surroundings,
} from './behaviour.ts'

const HEARTBEAT_MS = 15 * MINUTE_MS
/** Light that is left when dimmed, and what it takes of the full power: drivers and controllers don't dim along. */
const DIMMED_LEVEL = 0.5
const DIMMED_POWER = 0.55
/** What the controller draws by day. */
const STANDBY_W = 0.6
/** A photocell a little dirtier than the next one switches a little later. */
const MAX_OFFSET_MS = 150 * SECOND_MS
/** Lamps in a hundred that burn no more. */
const DEFECTIVE_SHARE = 0.012
const FALLBACK_POWER_W = 60
/** What older counters already show. */
const MAX_EARLIER_KWH = 900

type Phase = 'off' | 'on' | 'low'

/** A street lamp that switches at dusk and dawn, is dimmed late at night, and counts its energy without a step back. */
export function createLampBehaviour(sensor: PlannedSensor, surroundings: Surroundings): Behaviour {
  const { seed, lightingNights } = surroundings
  const { ratedPowerW } = sensor.attributes
  const powerW = typeof ratedPowerW === 'number' ? ratedPowerW : FALLBACK_POWER_W
  const offsetMs = Math.floor(hashUnit(seed, 'photocell', sensor.id) * MAX_OFFSET_MS)
  const earlierKwh = MAX_EARLIER_KWH * hashUnit(seed, 'energy', sensor.id)
  const isDefective = hashUnit(seed, 'defect', sensor.id) < DEFECTIVE_SHARE
  const beats = heartbeats(sensor, seed, HEARTBEAT_MS)

  /** The city's night as this lamp sees it: on a little later, off a little earlier, never reversed. */
  const ownNight = ({ onMs, dimFromMs, dimToMs, offMs }: LightingNight): LightingNight => {
    const isLong = dimFromMs - onMs > offsetMs && offMs - dimToMs > offsetMs
    return isLong
      ? { onMs: onMs + offsetMs, dimFromMs, dimToMs, offMs: offMs - offsetMs }
      : { onMs, dimFromMs, dimToMs, offMs }
  }
  const energyAt = (timeMs: number): number => {
    const { night, index } = lightingNights.nightAt(timeMs)
    const before = lightingNights.hoursBefore(index)
    const own = ownNight(night)
    const dimmed = hoursWithin(own.dimFromMs, own.dimToMs, timeMs)
    const full = hoursWithin(own.onMs, own.offMs, timeMs) - dimmed
    // The city's nights are longer than this lamp's by its offset at both ends.
    const fullHours = before.full - (2 * offsetMs * before.nights) / HOUR_MS + full
    return earlierKwh + (powerW / 1_000) * (Math.max(0, fullHours) + DIMMED_POWER * (before.dimmed + dimmed))
  }

  return {
    reportTimes(fromMs, toMs) {
      if (isDefective) return beats(fromMs, toMs)
      const changes: number[] = []
      const last = lightingNights.nightAt(toMs).index
      for (let index = lightingNights.nightAt(fromMs).index; index <= last; index++) {
        const { onMs, dimFromMs, dimToMs, offMs } = ownNight(lightingNights.night(index))
        changes.push(
          ...[onMs, dimFromMs, dimToMs, offMs].map(Math.ceil).filter((t) => t > fromMs && t <= toMs),
        )
      }
      return mergeTimes(changes, beats(fromMs, toMs))
    },
    valuesAt(timeMs): Values {
      const phase = phaseAt(ownNight(lightingNights.nightAt(timeMs).night), timeMs)
      if (isDefective) {
        return {
          powerState: 'off',
          illuminanceLevel: 0,
          powerConsumption: STANDBY_W,
          energy: round(earlierKwh, 3),
          status: 'defectiveLamp',
        }
      }
      const mains = 1 + 0.02 * smoothNoise(seed, `mains ${sensor.id}`, timeMs / HOUR_MS)
      const share = { off: 0, low: DIMMED_POWER, on: 1 }[phase]
      return {
        powerState: phase,
        illuminanceLevel: { off: 0, low: DIMMED_LEVEL, on: 1 }[phase],
        powerConsumption: phase === 'off' ? STANDBY_W : round(powerW * share * mains, 1),
        energy: round(energyAt(timeMs), 3),
        status: 'ok',
      }
    },
  }
}

function phaseAt({ onMs, dimFromMs, dimToMs, offMs }: LightingNight, timeMs: number): Phase {
  if (timeMs < onMs || timeMs >= offMs) return 'off'
  return timeMs >= dimFromMs && timeMs < dimToMs ? 'low' : 'on'
}

/** Hours of [fromMs, toMs) that have passed at `timeMs`. */
function hoursWithin(fromMs: number, toMs: number, timeMs: number): number {
  return Math.max(0, Math.min(toMs, timeMs) - fromMs) / HOUR_MS
}
