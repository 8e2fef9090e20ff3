import type { Command } from 'commander'
import { AppError, systemClock } from '@pulso/model'
import type { CreatedBackup } from '../backup/create-backup.ts'
import { describeContents, describeReadingsElsewhere, reportProgress } from '../backup/describe.ts'
import type { BackupManifest } from '../backup/manifest.ts'
import { parseConfig } from '../config/config.ts'
import { print } from './shared.ts'

interface BackupOptions {
  verify?: true
  json?: true
}

export function addBackupCommand(program: Command): void {
  program
    .command('backup')
    .argument('<folder>', 'where the backup goes, as a folder of its own; with --verify the backup itself')
    .description('Copy the whole data folder, consistent with itself. Works while the box runs.')
    .option('--verify', 'read a backup instead, and say whether it can be restored')
    .option('--json', 'print {"path","manifest"}')
    .action(async (folder: string, { verify, json }: BackupOptions) => {
      if (verify) {
        const { verifyBackup } = await import('../backup/verify-backup.ts')
        const manifest = await verifyBackup(folder, reportProgress())
        print(json, { path: folder, manifest }, () => describeVerified(folder, manifest))
        return
      }
      if (folder === '') throw new AppError('backup-folder-unusable', 'Name the folder that takes the backup')
      const { createBackup } = await import('../backup/create-backup.ts')
      const config = parseConfig(process.env)
      const created = await createBackup({ config, folder, clock: systemClock, onProgress: reportProgress() })
      print(json, created, () => describeCreated(created))
    })
}

function describeVerified(folder: string, manifest: BackupManifest): string {
  return [`${folder} is whole and can be restored.`, '', ...describeContents(manifest)].join('\n')
}

function describeCreated({ path, manifest }: CreatedBackup): string {
  return [
    path,
    '',
    ...describeContents(manifest),
    '',
    'What was acknowledged later is not in it. Restore it with: pulso restore FOLDER',
    ...describeReadingsElsewhere(manifest),
  ].join('\n')
}
