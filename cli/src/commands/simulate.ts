import type { Command } from 'commander'
import type { SimulateOptions } from '../simulators/run-virtual-city.ts'

export function addSimulateCommand(program: Command): void {
  program
    .command('simulate')
    .description('Run the virtual city against a box, over MQTT like any device')
    .option('--seed <number>', 'another virtual city', '1')
    .option('--speed <factor>', 'let it live faster', '1')
    .option('--mqtt <url>', 'another broker than the box of this data folder')
    .option('--api <url>', 'its API, so that only what is missing of the past is sent')
    .option('--username <name>', 'a gateway’s credential, with --mqtt')
    .option('--password <secret>')
    .action(async (options: SimulateOptions) =>
      (await import('../simulators/run-virtual-city.ts')).runVirtualCity(options),
    )
}
