import { Option, type Command } from 'commander'
import { systemClock, toIsoTime } from '@pulso/model'
import { formatBytes } from '../backup/disk.ts'
import { reportProgress } from '../backup/describe.ts'
import { parseConfig } from '../config/config.ts'
import type { ExportedCity } from '../export/export-city.ts'
import type { TableFormat } from '../export/write-readings.ts'
import { print } from './shared.ts'

interface ExportOptions {
  to?: string
  format: TableFormat
  json?: true
}

const INTERRUPTED = 130

export function addExportCommand(program: Command): void {
  program
    .command('export')
    .description(
      'Write the whole city into a folder of open files: sensors, zones, readings, aggregates, quarantine. Works while the box runs.',
    )
    .option('--to <folder>', 'a new or empty folder; pulso-export-{time} here when absent')
    .addOption(
      new Option('--format <format>', 'of readings and aggregates')
        .choices(['csv', 'parquet'])
        .default('csv'),
    )
    .option('--json', 'print {"path","manifest"}')
    .action(async ({ to, format, json }: ExportOptions) => {
      const { exportCity } = await import('../export/export-city.ts')
      const config = parseConfig(process.env)
      const controller = new AbortController()
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
        process.once(signal, () => {
          controller.abort()
          console.error('pulso: interrupted; what was begun is removed')
          process.exit(INTERRUPTED)
        })
      }
      const exported = await exportCity({
        config,
        folder: to ?? `pulso-export-${toIsoTime(systemClock.now()).slice(0, 19).replaceAll(':', '-')}Z`,
        format,
        clock: systemClock,
        interrupted: controller.signal,
        onProgress: reportProgress(),
      })
      print(json, exported, () => describe(exported))
    })
}

function describe({ path, manifest: { files, period, notes } }: ExportedCity): string {
  const width = Math.max(...files.map(({ name }) => name.length))
  return [
    path,
    '',
    ...files.map(({ name, rows, bytes }) => `  ${name.padEnd(width)}  ${rows} (${formatBytes(bytes)})`),
    '',
    ...(period ? [`Readings from ${period.from} to ${period.to}.`] : []),
    ...notes,
  ].join('\n')
}
