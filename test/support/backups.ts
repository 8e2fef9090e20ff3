import assert from 'node:assert/strict'
import { addDevice, runPulso, startBox, type BoxSetup, type Secret } from './box.ts'

export const PLACE = ['--kind', 'environment', '--lat', '43.4623', '--lon', '-3.81']

/** The parts of `pulso backup --json` that are looked at. */
export interface Backup {
  path: string
  manifest: {
    until: string
    position: number
    stores: {
      journal: { position: number }
      registry: { position: number; counts: { sensors: number; credentials: number } }
      readings: { driver: string; position?: number; counts?: Record<string, number> }
    }
    files: { name: string }[]
  }
}

/** Runs a command that must succeed; gives what it printed. */
export async function pulso(args: readonly string[], setup: BoxSetup): Promise<string> {
  const { code, stdout, stderr } = await runPulso(args, setup)
  assert.equal(code, 0, stderr)
  return stdout
}

/** Runs a command that must be refused with this reason. */
export async function refused(args: readonly string[], setup: BoxSetup, reason: RegExp): Promise<void> {
  const { code, stderr } = await runPulso(args, setup)
  assert.equal(code, 2, stderr)
  assert.match(stderr, reason)
}

export async function takeBackup(setup: BoxSetup, folder: string): Promise<Backup> {
  return JSON.parse(await pulso(['backup', folder, '--json'], setup)) as Backup
}

/** A folder that a box has run on, with one device. */
export async function makeData(setup: BoxSetup): Promise<Secret> {
  const box = await startBox(setup)
  const secret = await addDevice(box, ['air-1', ...PLACE])
  await box.stop()
  return secret
}
