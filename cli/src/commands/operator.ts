import type { Command } from 'commander'
import type { Secret } from '../administration.ts'
import { print, toTable, withAdministration } from './shared.ts'

export function addOperatorCommands(program: Command): void {
  const operator = program
    .command('operator')
    .description('The people who run the city. Works while the box runs.')

  const passwordCommands = [
    ['add', 'addOperator', 'Add an operator and show the password once'],
    ['reset', 'resetOperator', 'Give an operator a new password; open sessions end'],
  ] as const
  for (const [command, method, description] of passwordCommands) {
    operator
      .command(command)
      .argument('<name>')
      .description(description)
      .option('--json', 'print {"username","password"}')
      .action(async (name: string, options: { json?: true }) => {
        const secret = await withAdministration((administration) => administration[method](name))
        print(options.json, secret, () => describe(secret))
      })
  }

  operator
    .command('list')
    .description('Show the operators')
    .option('--json', 'print a list')
    .action(async (options: { json?: true }) => {
      const operators = await withAdministration((administration) => administration.listOperators())
      const rows = operators.map(({ name, createdAtMs }) => [
        name,
        new Date(createdAtMs).toISOString().slice(0, 10),
      ])
      print(options.json, operators, () => toTable(['NAME', 'SINCE'], rows))
    })

  operator
    .command('remove')
    .argument('<name>')
    .description('Take an operator’s access away')
    .option('--json', 'print {"name"}')
    .action(async (name: string, options: { json?: true }) => {
      const removed = await withAdministration((administration) => administration.removeOperator(name))
      print(options.json, removed, () => `${name} can no longer sign in.`)
    })
}

function describe({ username, password }: Secret): string {
  return `operator  ${username}\npassword  ${password}\n\nThe password is shown this once and kept only as a hash.`
}
