import type { Program } from '../process.ts'
import { spawnProgram } from '../process.ts'
import type { AskerOptions, AskResult, AskRun } from './asker.ts'

export interface Asker {
  run(run: AskRun): Promise<AskResult>
  stop(): Promise<unknown>
}

/** Opens connections that ask one path, in a process of their own. */
export async function startAsker(options: AskerOptions): Promise<Asker> {
  const program = spawnProgram('./api/asker-process.ts')
  program.tell(options)
  await program.answer()
  return {
    async run(run) {
      program.tell(run)
      return (await program.answer()) as AskResult
    },
    stop: program.stop,
  }
}

/** A bare Fastify route with a body of that size, in a process of its own. */
export async function startBare(bytes: number): Promise<{ port: number; stop: Program['stop'] }> {
  const program = spawnProgram('./api/bare.ts')
  program.tell({ bytes })
  const { port } = (await program.answer()) as { port: number }
  return { port, stop: program.stop }
}
