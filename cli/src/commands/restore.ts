import type { Command } from 'commander'
import { systemClock } from '@pulso/model'
import { describeContents, describeReadingsElsewhere, reportProgress } from '../backup/describe.ts'
import type { RestoredBackup } from '../backup/restore-backup.ts'
import { parseConfig } from '../config/config.ts'
import { print } from './shared.ts'

interface RestoreOptions {
  dataDir?: string
  force?: true
  json?: true
}

export function addRestoreCommand(program: Command): void {
  program
    .command('restore')
    .argument('<folder>', 'the backup: pulso-backup-…')
    .description('Put a backup in place of an empty data folder. No box may run on it.')
    .option('--data-dir <folder>', 'instead of PULSO_DATA_DIR')
    .option('--force', 'move what the data folder holds aside; nothing is deleted')
    .option('--json', 'print {"dataDir","manifest","aside"}')
    .action(async (folder: string, { dataDir, force, json }: RestoreOptions) => {
      const env = dataDir === undefined ? process.env : { ...process.env, PULSO_DATA_DIR: dataDir }
      const config = parseConfig(env)
      const { restoreBackup } = await import('../backup/restore-backup.ts')
      const restored = await restoreBackup({
        folder,
        dataDir: config.dataDir,
        force: force === true,
        clock: systemClock,
        onProgress: reportProgress(),
      })
      print(json, restored, () => describeRestored(restored))
    })
}

function describeRestored({ dataDir, manifest, aside }: RestoredBackup): string {
  return [
    `${dataDir} is as it was at ${manifest.until}.`,
    '',
    ...describeContents(manifest),
    ...(aside === null ? [] : ['', `What was there before is in ${aside}.`]),
    ...describeReadingsElsewhere(manifest),
  ].join('\n')
}
