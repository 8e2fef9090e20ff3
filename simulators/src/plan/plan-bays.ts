import parking from '@pulso/model/kinds/parking'
import { hashUnit } from '../random.ts'
import type { Ground, Street } from './ground.ts'
import {
  createNamer,
  densityAt,
  houseNumber,
  isOnCrossing,
  KERB_OFFSET_M,
  scatter,
  shuffleByWeight,
  spotBeside,
  type PlaceOptions,
} from './place.ts'
import type { Placed } from './planned-sensor.ts'

/** Cars parked one behind the other: a bay and the room to get out of it. */
const BAY_LENGTH_M = 5.5
/** Between two rows on the same kerb: a crossing, a few trees, a loading zone. */
const ROW_GAP_M = 18
const MIN_ROW_BAYS = 5
const MAX_ROW_BAYS = 14
/** From the kerb to the middle of a parked car, on the carriageway. */
const BAY_HALF_WIDTH_M = 1

/** A row of bays at one kerb. */
interface Row {
  street: Street
  startM: number
  bays: number
  rightM: number
}

export function planBays(options: PlaceOptions): Placed[] {
  const { ground, seed, count } = options
  const nameOf = createNamer()
  if (ground.streets.length === 0) {
    return scatter(options, parking.id, ground.districts.zoneIds).map(({ position }, index) => ({
      kind: parking.id,
      name: nameOf(`${parking.title[options.language]} ${index + 1}`),
      position,
      attributes: {},
    }))
  }

  const bays: Placed[] = []
  const rows = shuffleByWeight(listRows(ground, seed), (row) => weightOf(ground, row), { seed, name: 'rows' })
  for (const row of rows) {
    if (bays.length >= count) break
    bays.push(...fillRow(options, row, nameOf).slice(0, count - bays.length))
  }
  return bays
}

/** Every place for a row, on both kerbs of every street that may be parked in. */
function listRows(ground: Ground, seed: number): Row[] {
  const rows: Row[] = []
  ground.streets.forEach((street, index) => {
    if (street.class === 'motorway') return
    for (const side of [1, -1]) {
      let startM = 12 + hashUnit(seed, 'row-start', index, side) * 10
      for (let row = 0; startM + MIN_ROW_BAYS * BAY_LENGTH_M < street.path.lengthM - 12; row++) {
        const share = hashUnit(seed, 'row-length', index, side, row)
        const room = Math.floor((street.path.lengthM - 12 - startM) / BAY_LENGTH_M)
        const bays = Math.min(room, MIN_ROW_BAYS + Math.floor(share * (MAX_ROW_BAYS - MIN_ROW_BAYS + 1)))
        const rightM = side * (KERB_OFFSET_M[street.class] - BAY_HALF_WIDTH_M)
        rows.push({ street, startM, bays, rightM })
        startM += bays * BAY_LENGTH_M + ROW_GAP_M
      }
    }
  })
  return rows
}

function weightOf(ground: Ground, { street, startM }: Row): number {
  // Main roads keep their kerbs for buses and moving traffic.
  const ofClass = street.class === 'primary' ? 0.5 : 1
  return ofClass * densityAt(ground, street.path.at(startM)) ** 2
}

function fillRow({ ground }: PlaceOptions, row: Row, nameOf: (name: string) => string): Placed[] {
  const { street, startM, rightM } = row
  const bays: Placed[] = []
  for (let i = 0; i < row.bays; i++) {
    const distanceM = startM + (i + 0.5) * BAY_LENGTH_M
    const spot = spotBeside(ground, street, { distanceM, rightM })
    if (!spot || isOnCrossing(ground, street, spot.point)) continue
    bays.push({
      kind: parking.id,
      name: nameOf(`${street.name} ${houseNumber(distanceM, rightM)}`.trim()),
      position: spot.position,
      attributes: { street: street.name },
    })
  }
  return bays
}
