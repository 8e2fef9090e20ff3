import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const DATA = fileURLToPath(new URL('../../../../shared/data/', import.meta.url))

export const LUMINAIRES = join(DATA, 'lighting/nas-luminaire-uplinks.json')
export const LORAWAN = join(DATA, 'lorawan')
export const NO_DATA = 'the folder of real data is not there'

/** An uplink as a network sent it, and what it decodes to. */
export interface LorawanExample {
  vendor: string
  model: string
  platform: string
  file: string
  payload: Record<string, unknown>
  telemetry: { ts: number; values: Record<string, unknown> }[]
}

/** Every `payload*.json` of the data folder with its `result*.json`; none where the folder is absent. */
export function readLorawanExamples(): LorawanExample[] {
  if (!existsSync(LORAWAN)) return []
  const examples: LorawanExample[] = []
  for (const vendor of readdirSync(LORAWAN)) {
    for (const model of readdirSync(join(LORAWAN, vendor))) {
      for (const platform of readdirSync(join(LORAWAN, vendor, model))) {
        const folder = join(LORAWAN, vendor, model, platform)
        for (const file of readdirSync(folder).filter((name) => name.startsWith('payload'))) {
          const payload = readJson(join(folder, file)) as Record<string, unknown>
          const result = readJson(join(folder, file.replace('payload', 'result')))
          const { telemetry } = result as Pick<LorawanExample, 'telemetry'>
          examples.push({ vendor, model, platform, file, payload, telemetry })
        }
      }
    }
  }
  return examples
}

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(path, 'utf8'))
}
