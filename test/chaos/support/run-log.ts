import { createWriteStream } from 'node:fs'
import { finished } from 'node:stream/promises'

/** Where a run says what it does: the screen, and a file when one is given. */
export interface RunLog {
  say(text: string): void
  close(): Promise<void>
}

export function createRunLog({ file }: { file: string | undefined }): RunLog {
  const stream = file === undefined ? undefined : createWriteStream(file)
  return {
    say(text) {
      process.stderr.write(`${text}\n`)
      stream?.write(`${text}\n`)
    },
    async close() {
      if (!stream) return
      stream.end()
      await finished(stream)
    },
  }
}
