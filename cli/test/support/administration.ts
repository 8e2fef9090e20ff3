import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { openSqliteRegistry, type Registry } from '@pulso/stores'
import { createAdministration, type Administration, type DeviceToAdd } from '../../src/administration.ts'
import type { ImportRow } from '../../src/administration/devices.ts'
import { loadKinds } from '../../src/config/load.ts'

export const NOW_MS = Date.UTC(2026, 0, 1)
export const DEV_EUI = '00112233445566AA'

export interface TestAdministration {
  registry: Registry
  devices: Administration
  /** Whose connections were ended. */
  disconnected: string[]
  advance(durationMs: number): void
}

/** An administration of the real kinds on a registry of its own, with one codec: `some-codec`. */
export async function openAdministration(context: TestContext): Promise<TestAdministration> {
  const folder = await mkdtemp(join(tmpdir(), 'pulso-devices-'))
  const registry = await openSqliteRegistry({ file: join(folder, 'registry.db') })
  context.after(async () => {
    await registry.close()
    await rm(folder, { recursive: true, force: true })
  })
  const disconnected: string[] = []
  let nowMs = NOW_MS
  const devices = createAdministration({
    registry,
    kinds: await loadKinds(null),
    loadCodecNames: async () => new Set(['some-codec']),
    clock: { now: () => nowMs },
    disconnect: async (username) => disconnected.push(username),
  })
  return { registry, devices, disconnected, advance: (durationMs) => void (nowMs += durationMs) }
}

export function toRows(...devices: readonly DeviceToAdd[]): ImportRow[] {
  return devices.map((device, index) => ({ place: `line ${index + 2}`, device }))
}
