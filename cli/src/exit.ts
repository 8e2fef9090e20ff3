import { CommanderError } from 'commander'
import { AppError } from '@pulso/model'

/** What was asked cannot be done as things are: a mistake in the call, the settings, or something in the way. */
const EXIT_REFUSED = 2
/** Something broke. */
export const EXIT_FAILED = 1

/** Says what is wrong in words, on standard error, and ends with 2 for mistakes and 1 for faults. */
export function reportAndExit(error: unknown): never {
  if (error instanceof CommanderError) {
    // Commander has written its message, and help is not a mistake.
    process.exit(error.exitCode === 0 ? 0 : EXIT_REFUSED)
  }
  if (error instanceof AppError && error.code !== 'internal') {
    console.error(`pulso: ${error.message}`)
    process.exit(EXIT_REFUSED)
  }
  console.error(error)
  process.exit(EXIT_FAILED)
}
