import { open } from 'node:fs/promises'
import type { Command } from 'commander'
import { AppError, messageOf, toAppError } from '@pulso/model'
import type { RpcClient } from '@pulso/stores'
import type { AddedDevice, Administration, ImportResult, ImportRow } from '../administration.ts'
import { print, withAdministration } from './shared.ts'

interface ImportOptions {
  secrets?: string
  json?: true
}

/** One call and one transaction each: short enough to leave a running box to its other work. */
const ROWS_PER_CALL = 1_000
const PROGRESS_EVERY_MS = 1_000

export function addDeviceImportCommand(device: Command): void {
  device
    .command('import')
    .argument('<file>', 'CSV with a header, or a JSON array (.json)')
    .description(
      'Add many devices, or bring known ones up to date. Columns: id, kind, name, lat, lon, gateway, devEui, codec, access, secret, token.',
    )
    .option('--secrets <file>', 'write the new secrets to this file (CSV, for its owner alone)')
    .option('--json', 'print one object with the counts, and with the new secrets unless --secrets is given')
    .action(async (file: string, options: ImportOptions) => {
      const { readDevicesFile } = await import('../administration/devices-file.ts')
      const { invalidImport } = await import('../administration/refusals.ts')
      const { rows, mistakes } = await readDevicesFile(file)
      const result = await withAdministration(async (administration) => {
        const check = await checkAll(administration, rows)
        const byLine = new Intl.Collator('en', { numeric: true }).compare
        const all = [...mistakes, ...check.mistakes].toSorted(byLine)
        if (all.length > 0) throw invalidImport(all)
        await using keeper = await keepSecrets(check.newSecrets, options)
        return await importAll({ administration, rows, keep: keeper.keep })
      })
      const { added, updated, unchanged, otherSecretsKept } = result
      const counts = { added, updated, unchanged, otherSecretsKept }
      print(options.json, options.secrets === undefined ? result : counts, () => describe(result, options))
    })
}

async function checkAll(
  administration: RpcClient<Administration>,
  rows: readonly ImportRow[],
): Promise<{ mistakes: string[]; newSecrets: number }> {
  const progress = createProgress('checked', rows.length)
  const mistakes: string[] = []
  let newSecrets = 0
  for (const part of toParts(rows)) {
    const check = await administration.checkImport(part)
    mistakes.push(...check.mistakes)
    newSecrets += check.newSecrets
    progress(part.length)
  }
  return { mistakes, newSecrets }
}

async function importAll(options: {
  administration: RpcClient<Administration>
  rows: readonly ImportRow[]
  keep: (secrets: readonly AddedDevice[]) => Promise<void>
}): Promise<ImportResult> {
  const { administration, rows, keep } = options
  const progress = createProgress('imported', rows.length)
  const total: ImportResult = { added: 0, updated: 0, unchanged: 0, otherSecretsKept: [], secrets: [] }
  let done = 0
  for (const part of toParts(rows)) {
    const result = await administration.importDevices(part).catch((thrown: unknown) => {
      const { code, message, status } = toAppError(thrown)
      const how = `${done} of ${rows.length} rows had been imported; the same file can be imported again`
      throw new AppError(code, `${message}\n${how}`, { status, cause: thrown })
    })
    await keep(result.secrets)
    total.added += result.added
    total.updated += result.updated
    total.unchanged += result.unchanged
    total.otherSecretsKept.push(...result.otherSecretsKept)
    total.secrets.push(...result.secrets)
    done += part.length
    progress(part.length)
  }
  return total
}

interface SecretsKeeper extends AsyncDisposable {
  keep(secrets: readonly AddedDevice[]): Promise<void>
}

/**
 * Opens the file for the secrets before any is made, so that none is lost because it could not be written.
 * @throws AppError `secrets-unwritable`, and `secrets-homeless` when nobody said where they go
 */
async function keepSecrets(count: number, { secrets: path, json }: ImportOptions): Promise<SecretsKeeper> {
  if (count === 0 || (path === undefined && json)) {
    return { keep: async () => undefined, [Symbol.asyncDispose]: async () => undefined }
  }
  if (path === undefined) {
    throw new AppError(
      'secrets-homeless',
      `Nothing was imported: ${count} secrets would be made, and they are shown once. Say where they go: --secrets FILE, or --json`,
    )
  }
  // `wx`: the secrets of an earlier import are not overwritten.
  const file = await open(path, 'wx', 0o600).catch((cause: unknown) => {
    throw new AppError('secrets-unwritable', `Nothing was imported: ${messageOf(cause)}`, { cause })
  })
  await file.appendFile('id,access,username,password\n')
  return {
    async keep(secrets) {
      const lines = secrets.flatMap((added) =>
        'username' in added ? `${added.device},${added.access},${added.username},${added.password}\n` : [],
      )
      try {
        await file.appendFile(lines.join(''))
        await file.sync()
      } catch (cause) {
        const names = secrets.map(({ device }) => device)
        throw new AppError(
          'secrets-unwritable',
          `${path} cannot be written: ${messageOf(cause)}\nThe secrets of these ${names.length} devices are lost, give them new ones (pulso device rotate): ${names.join(' ')}`,
          { cause },
        )
      }
    },
    [Symbol.asyncDispose]: () => file.close(),
  }
}

/** Says on standard error how far it is, at most once a second: short work says nothing. */
function createProgress(what: string, total: number): (rows: number) => void {
  let [done, saidAtMs] = [0, performance.now()]
  return (rows) => {
    done += rows
    if (performance.now() - saidAtMs < PROGRESS_EVERY_MS) return
    saidAtMs = performance.now()
    console.error(`${what} ${done} of ${total}`)
  }
}

function* toParts(rows: readonly ImportRow[]): Generator<ImportRow[]> {
  for (let from = 0; from < rows.length; from += ROWS_PER_CALL) yield rows.slice(from, from + ROWS_PER_CALL)
}

function describe(
  { added, updated, unchanged, otherSecretsKept, secrets }: ImportResult,
  options: ImportOptions,
) {
  const lines = [`${added} added, ${updated} updated, ${unchanged} unchanged.`]
  if (secrets.length > 0) {
    lines.push(
      `${secrets.length} new secrets are in ${options.secrets ?? ''}; they are kept nowhere else: hand them out and remove the file.`,
    )
  }
  if (otherSecretsKept.length > 0) {
    const names = otherSecretsKept.slice(0, 10).join(' ')
    lines.push(
      `${otherSecretsKept.length} known devices keep their secret, the file gives another one: ${names}${otherSecretsKept.length > 10 ? ' …' : ''}`,
    )
  }
  return lines.join('\n')
}
