import assert from 'node:assert/strict'
import type { OpsOverview, QuarantinePage, SensorDetail, ZonesView } from '@pulso/model'
import type { RunningBox } from './box.ts'
import { waitFor } from './wait.ts'

export async function getJson<T>(
  box: { http: string },
  path: string,
  headers: Record<string, string> = {},
): Promise<T> {
  const response = await fetch(new URL(path, box.http), { headers })
  assert.equal(response.status, 200, `${path} answered ${response.status}: ${await response.clone().text()}`)
  return (await response.json()) as T
}

export const getSensor = (box: { http: string }, id: string): Promise<SensorDetail> =>
  getJson<SensorDetail>(box, `/api/v1/sensors/${encodeURIComponent(id)}`)

export const getZones = (box: { http: string }): Promise<ZonesView> =>
  getJson<ZonesView>(box, '/api/v1/zones')

/** Waits until the sensor shows these values. */
export async function waitForValues(
  box: { http: string },
  id: string,
  values: Record<string, unknown>,
): Promise<SensorDetail> {
  return waitFor(
    async () => {
      const sensor = await getSensor(box, id)
      const shown = sensor.properties.values
      return Object.entries(values).every(([metric, value]) => shown[metric] === value) ? sensor : undefined
    },
    { what: `${id} to show ${JSON.stringify(values)}` },
  )
}

export interface OperatorApi {
  overview(): Promise<OpsOverview>
  quarantine(query?: string): Promise<QuarantinePage['entries']>
}

/** Signs in with the password that the first start has shown. */
export async function signIn(box: RunningBox): Promise<OperatorApi> {
  assert.ok(box.operator, 'the first start shows the operator’s password')
  const { username: name, password } = box.operator
  const response = await fetch(new URL('/api/v1/session', box.http), {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: box.http },
    body: JSON.stringify({ name, password }),
  })
  assert.ok(response.ok, `sign-in answered ${response.status}`)
  const cookie = response.headers
    .getSetCookie()
    .map((line) => line.split(';')[0])
    .join('; ')
  return {
    overview: () => getJson<OpsOverview>(box, '/api/v1/ops/overview', { cookie }),
    async quarantine(query = '') {
      return (await getJson<QuarantinePage>(box, `/api/v1/ops/quarantine?limit=200&${query}`, { cookie }))
        .entries
    },
  }
}

/** One number of `/metrics`, summed over its labels that match. */
export async function readMetric(box: { http: string }, name: string, labels = ''): Promise<number> {
  const text = await (await fetch(new URL('/metrics', box.http))).text()
  const lines = text
    .split('\n')
    .filter((line) => (line.startsWith(`${name}{`) || line.startsWith(`${name} `)) && line.includes(labels))
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
}
