import { createHash } from 'node:crypto'
import { mkdir, open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { ExportedColumn, ExportedFile } from './manifest.ts'

export interface FileDescription {
  /** Its path in the export. */
  name: string
  description: string
  columns?: ExportedColumn[]
}

/** Some text of a file, and how many rows it is. */
export interface Piece {
  text: string
  rows: number
}

/** Writes a file piece by piece and says what is in it; it is on disk afterwards. */
export async function writePieces(
  folder: string,
  { name, ...described }: FileDescription,
  pieces: AsyncIterable<Piece> | Iterable<Piece>,
): Promise<ExportedFile> {
  const file = join(folder, name)
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  const hash = createHash('sha256')
  let [rows, bytes] = [0, 0]
  const handle = await open(file, 'wx', 0o600)
  try {
    for await (const piece of pieces) {
      const data = Buffer.from(piece.text)
      await handle.writeFile(data)
      hash.update(data)
      rows += piece.rows
      bytes += data.length
    }
    await handle.sync()
  } finally {
    await handle.close()
  }
  return { name, ...described, rows, bytes, sha256: hash.digest('hex') }
}
