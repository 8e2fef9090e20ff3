import { existsSync } from 'node:fs'
import { loadEnvFile } from 'node:process'
import { Command } from 'commander'
import { addBackupCommand } from './commands/backup.ts'
import { addBenchCommands } from './commands/bench.ts'
import { addDeviceCommands } from './commands/device.ts'
import { addExportCommand } from './commands/export.ts'
import { addOperatorCommands } from './commands/operator.ts'
import { addQuarantineCommands } from './commands/quarantine.ts'
import { addRebuildCommand } from './commands/rebuild.ts'
import { addReplayCommand } from './commands/replay.ts'
import { addRestoreCommand } from './commands/restore.ts'
import { addScaleCommands } from './commands/scale.ts'
import { addSimulateCommand } from './commands/simulate.ts'
import { addStartCommand } from './commands/start.ts'
import { addStatusCommand } from './commands/status.ts'
import { reportAndExit } from './exit.ts'

if (existsSync('.env')) loadEnvFile('.env')

const program = new Command('pulso')
  .description(
    'A smart-city platform: sensors in over MQTT, a live city out. Settings are environment variables: see .env.example.',
  )
  .showHelpAfterError('(--help shows what there is)')
  .exitOverride()

addStartCommand(program)
addDeviceCommands(program)
addOperatorCommands(program)
addStatusCommand(program)
addQuarantineCommands(program)
addBackupCommand(program)
addRestoreCommand(program)
addRebuildCommand(program)
addExportCommand(program)
addSimulateCommand(program)
addReplayCommand(program)
addScaleCommands(program)
addBenchCommands(program)

try {
  await program.parseAsync()
} catch (error) {
  reportAndExit(error)
}
