import type { Command } from 'commander'
import { AppError } from '@pulso/model'

/** The parts that will run alone at scale, as separate processes that share servers. */
const PARTS = ['broker', 'ingest', 'api'] as const

export function addScaleCommands(program: Command): void {
  for (const part of PARTS) {
    program
      .command(part)
      .description(
        `Run the ${part} alone, at scale (refuses embedded drivers; the server drivers are not there yet)`,
      )
      .action(() => {
        // Embedded stores lock their files for one process, so the parts could not see each other's data.
        throw new AppError(
          'embedded-drivers',
          `'pulso ${part}' needs a journal and a registry on servers, and this version has the embedded ones only. Run everything in one process: pulso start`,
        )
      })
  }
}
