import { randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, rm, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { AppError } from '@pulso/model'
import type { ReadingsExport } from '@pulso/stores'

const DISK_LOOK_MS = 500

/**
 * An export as the bytes of a Parquet file, which says at its end what is in it and so has to be complete first. The file
 * has no name any more when the first byte goes out: nothing remains of it, however the download ends.
 * @throws AppError `disk-too-small` (503), and what the store throws
 */
export async function createParquetStream({
  taking,
  folder,
  minFreeBytes,
  onRows,
}: {
  taking: ReadingsExport
  folder: string
  /** Below it the file is given up: the city's own data goes first. */
  minFreeBytes: number
  onRows: (rows: number) => void
}): Promise<{ stream: Readable; bytes: number }> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const file = join(folder, `${randomUUID()}.parquet`)
  let isDiskTooSmall = false
  const look = async (): Promise<void> => {
    if (await hasRoom(folder, minFreeBytes)) return
    isDiskTooSmall = true
    await taking.close()
  }
  // A folder that cannot be looked at fails where the file is written, too.
  const timer = setInterval(() => void look().catch(() => undefined), DISK_LOOK_MS)
  try {
    if (!(await hasRoom(folder, minFreeBytes))) throw diskTooSmall()
    onRows(await taking.writeParquet(file))
    await taking.close()
    const handle = await open(file)
    const { size } = await handle.stat()
    return { stream: createReadStream('', { fd: handle }), bytes: size }
  } catch (error) {
    await taking.close()
    // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- the timer sets it
    throw isDiskTooSmall ? diskTooSmall() : error
  } finally {
    clearInterval(timer)
    await rm(file, { force: true })
  }
}

async function hasRoom(folder: string, minFreeBytes: number): Promise<boolean> {
  const { bavail, bsize } = await statfs(folder)
  return bavail * bsize > minFreeBytes
}

function diskTooSmall(): AppError {
  return new AppError(
    'disk-too-small',
    'There is no room to make this file at the moment; ask for a shorter period, or for CSV, which needs none',
    { status: 503 },
  )
}
