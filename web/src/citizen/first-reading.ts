import type { CityView, KindView, MetricView } from '@pulso/model'

/**
 * Two commands that make a sensor in the middle of the city and publish its first reading. The user name and password are
 * those that the first command prints.
 */
export function toFirstReading(kind: KindView, { city, host }: { city: CityView; host: string }): string {
  const id = `${kind.id}-1`
  const [west, south, east, north] = city.bounds
  const place = `--lat ${((south + north) / 2).toFixed(4)} --lon ${((west + east) / 2).toFixed(4)}`
  return [
    `npx pulso device add ${id} --kind ${kind.id} ${place}`,
    `mosquitto_pub -h ${host} -q 1 -u USERNAME -P PASSWORD -t pulso/${kind.id}/${id}/telemetry -m '${toPayload(kind)}'`,
  ].join('\n\n')
}

/** The first metric with a value that its own rules allow. */
function toPayload({ metrics, headlineMetric }: KindView): string {
  const metric = metrics.find(({ id }) => id === headlineMetric) ?? metrics[0]
  return metric ? JSON.stringify({ [metric.id]: toExample(metric) }) : '{}'
}

function toExample({ type, values, min = 0, max = 1 }: MetricView): string | number {
  if (type === 'state') return values?.[0] ?? ''
  const wanted = 12
  return wanted >= min && wanted <= max ? wanted : min + (max - min) / 2
}
