import { systemClock } from '@pulso/model'
import { openSqliteRegistry, type RpcClient } from '@pulso/stores'
import { createAdministration, type Administration } from '../administration.ts'
import { registryFile } from '../box/files.ts'
import { lockFolder } from '../box/lock.ts'
import { parseConfig, type Config } from '../config/config.ts'
import { loadKinds } from '../config/load.ts'
import { connectControl } from '../control.ts'

/**
 * Does something with the box's administration: through the running box, or on its folder when none runs.
 */
export async function withAdministration<T>(
  action: (administration: RpcClient<Administration>, config: Config) => Promise<T>,
): Promise<T> {
  const config = parseConfig(process.env)
  const running = await connectControl<Administration>(config.dataDir)
  if (running) return action(running, config)

  await using stack = new AsyncDisposableStack()
  const lock = lockFolder(config.dataDir)
  stack.defer(() => lock.release())
  const registry = await openSqliteRegistry({ file: registryFile(config.dataDir) })
  stack.defer(() => registry.close())
  const kinds = await loadKinds(config.kindsDir)
  return await action(createAdministration({ registry, kinds, clock: systemClock }), config)
}

/** One JSON document for programs, or the text for people. */
export function print(isJson: boolean | undefined, value: unknown, text: () => string): void {
  console.log(isJson ? JSON.stringify(value) : text())
}

/** Columns padded to their widest cell. */
export function toTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  )
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd()
  return [line(header), ...rows.map(line)].join('\n')
}

/** A number given on the command line. */
export function parseNumber(text: string): number {
  return Number(text)
}
