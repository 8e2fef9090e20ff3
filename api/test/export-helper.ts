import { mkdtemp, rm } from 'node:fs/promises'
import { request, type IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { Reading } from '@pulso/model'
import type { Readings, ReadingsExport } from '@pulso/stores'
import type { ApiLimits } from '../src/index.ts'
import { createTestApi, NOON_MS, openTestReadings, toSensor, type TestApi } from './helper.ts'

export interface OpenDataApi extends TestApi {
  /** Where files for downloads are made. */
  folder: string
  /** Exports that nobody has closed. */
  open: ReadonlySet<ReadingsExport>
  /** How many pages were asked for. */
  pages: () => number
  write(readings: readonly Reading[]): Promise<void>
  /** The answer of a real connection, its body unread. */
  download(path: string, headers?: Record<string, string>): Promise<IncomingMessage>
}

/** An API with open data from a real store. */
export async function createOpenDataApi(
  t: TestContext,
  { limits = {}, readings: given }: { limits?: Partial<ApiLimits>; readings?: Readings } = {},
): Promise<OpenDataApi> {
  const readings = given ?? (await openTestReadings(t))
  const folder = await mkdtemp(join(tmpdir(), 'pulso-downloads-'))
  t.after(() => rm(folder, { recursive: true }))
  const open = new Set<ReadingsExport>()
  let [pages, position] = [0, 0]
  const openExport: Readings['openExport'] = async (query) => {
    const inner = await readings.openExport(query)
    const taking: ReadingsExport = {
      ...inner,
      next: () => (pages++, inner.next()),
      close: () => (open.delete(taking), inner.close()),
    }
    open.add(taking)
    return taking
  }
  const sensors = [toSensor('a'), toSensor('b', { position: null })]
  const api = await createTestApi(t, { readings, openData: { openExport, folder }, sensors, limits })
  return {
    ...api,
    folder,
    open,
    pages: () => pages,
    write: (list) =>
      readings.write({ position: ++position, inserts: new Map([['bins', list]]), replacements: new Map() }),
    download: (path, headers = {}) =>
      new Promise((resolve, reject) => {
        request(`${api.address}${path}`, { headers, agent: false }, resolve).on('error', reject).end()
      }),
  }
}

export function toReading(sensorId: string, agoMs: number, values: Reading['values']): Reading {
  return { sensorId, timeMs: NOON_MS - agoMs, receivedAtMs: NOON_MS - agoMs + 400, values }
}

/** Waits until something has come true, and fails when it does not. */
export async function until(isTrue: () => boolean): Promise<void> {
  const givenUpMs = performance.now() + 10_000
  while (!isTrue()) {
    if (performance.now() > givenUpMs) throw new Error(`never came true: ${isTrue.toString()}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
