import type { Command } from 'commander'
import type { StartOptions } from '../box/run-box.ts'

export function addStartCommand(program: Command): void {
  program
    .command('start')
    .description('Run the city in a box: broker, ingest, API and web in one process')
    .option('--demo', 'with the virtual city running in it')
    .option('--seed <number>', 'another virtual city', '1')
    .option('--accept-loss', 'although the registry is missing beside the other stores')
    .option('--json', 'print the addresses as one line of JSON')
    // The box's libraries take their time to load, so the other commands do without them.
    .action(async (options: StartOptions) => (await import('../box/run-box.ts')).runBox(options))
}
