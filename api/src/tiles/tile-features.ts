import { setImmediate as nextTurn } from 'node:timers/promises'
import { toFeatureId, type Freshness, type Kind, type ZoneAggregate } from '@pulso/model'
import { EXTENT, isInTile, toTilePoint, type TileAddress, type WorldPoint } from './mercator.ts'
import type { PlacedSensor } from './sensor-index.ts'

/** A point of a vector tile. */
export interface TileFeature {
  id: number
  type: 1
  geometry: [number, number][]
  tags: Record<string, string | number>
}

/** Cells along a tile's edge: about 64 pixels each on a map with the usual tiles of 512. */
const CELLS = 8

/** A single sensor. Its `id` is there too, for whoever joins it with the live feed by name (`promoteId`). */
export function toSensorFeature(
  { entry, point, featureId }: PlacedSensor,
  { tile, withState }: { tile: TileAddress; withState: boolean },
): TileFeature {
  const { sensor, kind, zone, stands, freshness } = entry
  return {
    id: featureId,
    type: 1,
    geometry: [point ? toTilePoint(point, tile) : [0, 0]],
    tags: {
      id: sensor.id,
      kind: kind.id,
      ...(zone !== null && { zone }),
      ...(withState && { state: stands, freshness }),
    },
  }
}

/** A zone's sums of one kind, at its label. */
export function toZoneFeature(
  view: ZoneAggregate,
  { name, point, tile }: { name: string; point: WorldPoint; tile: TileAddress },
): TileFeature {
  const figures = Object.entries(view.figures).flatMap(([id, value]) =>
    value === null ? [] : [[`figure_${id}`, value]],
  )
  return {
    id: toFeatureId(`zone/${view.zone ?? ''}/${view.kind}`),
    type: 1,
    geometry: [toTilePoint(point, tile)],
    tags: {
      kind: view.kind,
      ...(view.zone !== null && { zone: view.zone }),
      name,
      ...toCounts(view),
      ...(Object.fromEntries(figures) as Record<string, number>),
    },
  }
}

/** How many sensors are counted before others have their turn. */
const SLICE_SENSORS = 5_000

interface Cell {
  column: number
  row: number
  kind: Kind
  sensors: number
  states: Record<string, number>
  freshness: Record<Freshness, number>
  xSum: number
  ySum: number
}

/**
 * Sensors of one kind in a cell of the tile as one point in their middle, with how many of them stand how: what
 * is wrong inside a cluster is seen without opening it. In slices: from afar a tile may be all of a city's 100,000.
 */
export async function toClusterFeatures(
  sensors: readonly PlacedSensor[],
  tile: TileAddress,
): Promise<TileFeature[]> {
  const byKind = new Map<Kind, Map<number, Cell>>()
  for (const [index, { entry, point }] of sensors.entries()) {
    if (index % SLICE_SENSORS === SLICE_SENSORS - 1) await nextTurn()
    // It may have moved away since; then it counts where it is now.
    if (!point || !isInTile(point, tile)) continue
    const { kind, stands, freshness } = entry
    const [x, y] = toTilePoint(point, tile)
    const [column, row] = [Math.floor((x * CELLS) / EXTENT), Math.floor((y * CELLS) / EXTENT)]
    let cells = byKind.get(kind)
    if (!cells) byKind.set(kind, (cells = new Map<number, Cell>()))
    let cell = cells.get(row * CELLS + column)
    if (!cell) cells.set(row * CELLS + column, (cell = emptyCell(kind, column, row)))
    cell.sensors += 1
    cell.states[stands] = (cell.states[stands] ?? 0) + 1
    cell.freshness[freshness] += 1
    cell.xSum += x
    cell.ySum += y
  }
  return [...byKind.values()].flatMap((cells) =>
    [...cells.values()].map((cell) => toClusterFeature(cell, tile)),
  )
}

function emptyCell(kind: Kind, column: number, row: number): Cell {
  return {
    column,
    row,
    kind,
    sensors: 0,
    states: Object.fromEntries(kind.states.map(({ id }) => [id, 0])),
    freshness: { fresh: 0, stale: 0, offline: 0 },
    xSum: 0,
    ySum: 0,
  }
}

function toClusterFeature(cell: Cell, { z, x, y }: TileAddress): TileFeature {
  const { column, row, kind, sensors, xSum, ySum } = cell
  return {
    // The cell's place in the world is what it is: it keeps its number while sensors come and go.
    id: toFeatureId(`cell/${z}/${x * CELLS + column}/${y * CELLS + row}/${kind.id}`),
    type: 1,
    geometry: [[Math.floor(xSum / sensors), Math.floor(ySum / sensors)]],
    tags: { kind: kind.id, ...toCounts(cell) },
  }
}

/** `sensors`, `state_free`, …, `fresh`, `stale` and `offline`: a style reads numbers, not objects. */
function toCounts({
  sensors,
  states,
  freshness,
}: Pick<Cell, 'sensors' | 'states' | 'freshness'>): Record<string, number> {
  const byState = Object.entries(states).map(([id, count]): [string, number] => [`state_${id}`, count])
  return { sensors, ...Object.fromEntries(byState), ...freshness }
}
