import type { RpcClient } from '@pulso/stores'
import type { Administration } from '../administration.ts'
import { parseConfig } from '../config/config.ts'
import { connectControl } from '../control.ts'

/** Does something with the box's administration: through the running box, or on its folder when none runs. */
export async function withAdministration<T>(
  action: (administration: RpcClient<Administration>) => Promise<T>,
): Promise<T> {
  const config = parseConfig(process.env)
  const running = await connectControl<Administration>(config.dataDir)
  if (running) return action(running)
  const { withStoppedBox } = await import('../box/stopped-box.ts')
  return withStoppedBox(config, action)
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
