import { Point } from '@influxdata/influxdb-client'
import type { MetricValue, Scope } from '@pulso/model'
import { createRollupRow, type MetricPlaces, type RollupLayout, type RollupRow } from '../rollup-rows.ts'
import { quoteIdentifier, type Cell, type ResultTable } from './influxql.ts'

export const ELAPSED_FIELD = 'elapsed_ms'

/**
 * A row as a point. Writing one in the place of an older one leaves the fields that it does not have, so those that say
 * whether something is known (counts, times in a state) are always there: a count of 0 makes the metric's other fields void.
 */
export function toRollupPoint(
  layout: RollupLayout,
  kindId: string,
  { scope, id, fromMs, row }: { scope: Scope; id: string; fromMs: number; row: RollupRow },
): Point {
  const point = new Point(kindId).tag('scope', scope)
  // InfluxDB knows no empty tags; the city has no id.
  if (id !== '') point.tag('id', id)
  for (const places of layout.metrics.values()) {
    for (const { field, index } of places.fields) {
      const value = field.type === 'text' ? row.texts[places.textIndex] : row.numbers[index]
      if (typeof value === 'string') point.stringField(field.name, value)
      else if (value !== undefined && !Number.isNaN(value)) point.floatField(field.name, value)
      else if (field.part === 'count' || field.part === 'ms') point.floatField(field.name, 0)
    }
  }
  return point.floatField(ELAPSED_FIELD, row.elapsedMs).timestamp(fromMs)
}

/** The columns of these metrics' fields and the elapsed time, for a SELECT. */
export function toRollupColumns(metrics: Iterable<MetricPlaces>): string {
  const names = [...metrics].flatMap(({ fields }) => fields.map(({ field }) => field.name))
  return [...names, ELAPSED_FIELD].map(quoteIdentifier).join(', ')
}

/** Reads rows of a table whose columns are these; metrics that it does not have stay unknown. */
export function createRollupReader(
  layout: RollupLayout,
  { columns }: Pick<ResultTable, 'columns'>,
): (cells: readonly Cell[]) => RollupRow {
  const elapsed = columns.indexOf(ELAPSED_FIELD)
  const metrics = [...layout.metrics.values()].map((places) => ({
    places,
    count: columns.indexOf(places.fields.find(({ field }) => field.part === 'count')?.field.name ?? ''),
    fields: places.fields.map(({ field, index }) => ({
      index,
      column: columns.indexOf(field.name),
      isHeldTime: field.part === 'ms',
    })),
  }))
  return (cells) => {
    const row = createRollupRow(layout)
    row.elapsedMs = Number(cells[elapsed] ?? 0)
    for (const { places, count, fields } of metrics) {
      const hasReadings = Number(cells[count] ?? 0) > 0
      for (const { column, index, isHeldTime } of fields) {
        const value: MetricValue | boolean | null = cells[column] ?? null
        if (isHeldTime ? value === 0 : !hasReadings) continue
        if (typeof value === 'string') row.texts[places.textIndex] = value
        else if (typeof value === 'number') row.numbers[index] = value
      }
    }
    return row
  }
}
