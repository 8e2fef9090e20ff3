import { DAY_MS, MINUTE_MS } from '@pulso/model'
import type { Profile } from '../districts.ts'
import type { PlannedSensor } from '../plan/planned-sensor.ts'
import { createRandom, hash, hashUnit } from '../random.ts'
import { heartbeats, mergeTimes, type Behaviour, type Surroundings } from './behaviour.ts'
import { meanStayMinutes, occupancyAt } from './demand.ts'

/** The longest a bay is silent. */
const HEARTBEAT_MS = 30 * MINUTE_MS
/** Rates are held over this long. */
const STEP_MS = 5 * MINUTE_MS
/** A bay's life is drawn in pieces of a day, so that any moment can be known without all those before it. */
const PIECE_MS = DAY_MS
/** Arrivals when a bay was just left: someone is always looking, but nobody is there at once. */
const MAX_RATE_PER_MINUTE = 1 / 1.5
/** Kept pieces: the running day, and its neighbour at the seam. */
const MAX_PIECES = 3

interface Piece {
  startsOccupied: boolean
  /** When it changes, rising. */
  changesMs: readonly number[]
}

/**
 * A bay that cars come to and leave: a chain of two states whose rates follow the district's demand. Stays are exponential
 * with the mean of the hour, and arrivals come as often as it takes to keep the share of taken bays on the curve.
 */
export function createBayBehaviour(sensor: PlannedSensor, surroundings: Surroundings): Behaviour {
  const { seed } = surroundings
  const profile = surroundings.districts.profileOf(sensor.position)
  // Pieces begin at another time for each bay, in the busy hours, where a change more is not noticed.
  const seamMs = Math.floor((8 + 10 * hashUnit(seed, 'seam', sensor.id)) * 60) * MINUTE_MS
  const popularity = 0.75 + 0.5 * hashUnit(seed, 'popularity', sensor.id)
  const pieces = new Map<number, Piece>()
  const beats = heartbeats(sensor, seed, HEARTBEAT_MS)

  const pieceOf = (index: number): Piece => {
    const known = pieces.get(index)
    if (known) return known
    const startMs = index * PIECE_MS + seamMs
    const random = createRandom(hash(seed, 'bay', sensor.id, index))
    const piece = drawPiece({ surroundings, profile, popularity, startMs, random })
    const oldest = pieces.keys().next()
    if (pieces.size >= MAX_PIECES && !oldest.done) pieces.delete(oldest.value)
    pieces.set(index, piece)
    return piece
  }
  const indexAt = (timeMs: number): number => Math.floor((timeMs - seamMs) / PIECE_MS)
  const isOccupied = (timeMs: number): boolean => {
    const { startsOccupied, changesMs } = pieceOf(indexAt(timeMs))
    return startsOccupied !== (countUpTo(changesMs, timeMs) % 2 === 1)
  }

  return {
    reportTimes(fromMs, toMs) {
      const changes: number[] = []
      for (let index = indexAt(fromMs); index <= indexAt(toMs); index++) {
        const startMs = index * PIECE_MS + seamMs
        if (startMs > fromMs && startMs <= toMs && isOccupied(startMs) !== isOccupied(startMs - 1))
          changes.push(startMs)
        changes.push(...pieceOf(index).changesMs.filter((timeMs) => timeMs > fromMs && timeMs <= toMs))
      }
      return mergeTimes(changes, beats(fromMs, toMs))
    },
    valuesAt: (timeMs) => ({ status: isOccupied(timeMs) ? 'occupied' : 'free' }),
  }
}

interface PieceOptions {
  surroundings: Surroundings
  profile: Profile
  popularity: number
  startMs: number
  random: () => number
}

function drawPiece({ surroundings, profile, popularity, startMs, random }: PieceOptions): Piece {
  const { localTime, isSouthern } = surroundings
  const wantedAt = (timeMs: number): number => {
    const share = occupancyAt(profile, localTime.at(timeMs), isSouthern)
    // The exponent makes some bays sought and some left over without moving the empty or the full ones.
    return share ** (1 / popularity)
  }
  let wanted = wantedAt(startMs)
  const startsOccupied = random() < wanted
  let occupied = startsOccupied
  let patience = -Math.log(1 - random())
  const changesMs: number[] = []
  for (let stepMs = startMs; stepMs < startMs + PIECE_MS; stepMs += STEP_MS) {
    const next = wantedAt(stepMs + STEP_MS)
    const rates = ratesFor({ wanted, next, stayMinutes: meanStayMinutes(profile, localTime.at(stepMs)) })
    wanted = next
    let leftMinutes = STEP_MS / MINUTE_MS
    for (;;) {
      const rate = occupied ? rates.leaves : rates.arrives
      if (rate * leftMinutes < patience) {
        patience -= rate * leftMinutes
        break
      }
      leftMinutes -= patience / rate
      changesMs.push(Math.floor(stepMs + STEP_MS - leftMinutes * MINUTE_MS))
      occupied = !occupied
      patience = -Math.log(1 - random())
    }
  }
  return { startsOccupied, changesMs: oncePerMillisecond(changesMs) }
}

/** Rates per minute that keep the chain on the curve: dp/dt = arrives · (1 − p) − leaves · p. */
function ratesFor({ wanted, next, stayMinutes }: { wanted: number; next: number; stayMinutes: number }): {
  arrives: number
  leaves: number
} {
  const slope = (next - wanted) / (STEP_MS / MINUTE_MS)
  const leaves = Math.max(1 / stayMinutes, -slope / wanted)
  const arrives = Math.max(0, (slope + leaves * wanted) / (1 - wanted))
  return { leaves, arrives: Math.min(arrives, MAX_RATE_PER_MINUTE) }
}

/** Two changes in one millisecond are none. */
function oncePerMillisecond(timesMs: readonly number[]): number[] {
  const kept: number[] = []
  for (const timeMs of timesMs) {
    if (kept.at(-1) === timeMs) kept.pop()
    else kept.push(timeMs)
  }
  return kept
}

/** How many of the rising times are not after `timeMs`. */
function countUpTo(timesMs: readonly number[], timeMs: number): number {
  let count = 0
  while (count < timesMs.length && (timesMs[count] ?? Infinity) <= timeMs) count++
  return count
}
