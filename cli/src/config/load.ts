import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { AppError, messageOf, toKinds, type City, type Kind, type Kinds } from '@pulso/model'

const BUNDLED_CITY = fileURLToPath(import.meta.resolve('@pulso/model/cities/santander.json'))
const BUNDLED_KINDS = fileURLToPath(new URL('./kinds/', import.meta.resolve('@pulso/model')))

/** @throws AppError `invalid-city` when it is missing, no JSON or has mistakes */
export async function loadCity(file: string | null): Promise<City> {
  const path = file ?? BUNDLED_CITY
  const content = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new AppError('invalid-city', `The city file ${path} cannot be read: ${messageOf(cause)}`, { cause })
  })
  // Only who reads the city file waits for the library that checks it.
  const { parseCity } = await import('@pulso/model/schemas')
  return parseCity(parseJson(content, path), path)
}

/**
 * Every kind file of the platform, and of the city's own folder: a new kind is one new file.
 * @throws AppError `invalid-kind`, `duplicate-kind`
 */
export async function loadKinds(furtherDir: string | null): Promise<Kinds> {
  const folders = furtherDir === null ? [BUNDLED_KINDS] : [BUNDLED_KINDS, furtherDir]
  const lists = await Promise.all(folders.map(loadFolder))
  return toKinds(lists.flat())
}

async function loadFolder(folder: string): Promise<Kind[]> {
  const names = await readdir(folder).catch((cause: unknown) => {
    throw new AppError('invalid-kind', `The folder of kinds ${folder} cannot be read: ${messageOf(cause)}`, {
      cause,
    })
  })
  const files = names.filter((name) => /\.(ts|js)$/.test(name) && !name.endsWith('.d.ts')).toSorted()
  return Promise.all(files.map((name) => loadKind(join(folder, name))))
}

async function loadKind(file: string): Promise<Kind> {
  const module = (await import(pathToFileURL(file).href).catch((cause: unknown) => {
    throw new AppError('invalid-kind', `The kind file ${file} cannot be loaded: ${messageOf(cause)}`, {
      cause,
    })
  })) as { default?: Kind }
  if (!module.default?.metrics)
    throw new AppError('invalid-kind', `The kind file ${file} has no default export of a kind`)
  return module.default
}

function parseJson(content: string, path: string): unknown {
  try {
    return JSON.parse(content)
  } catch (cause) {
    throw new AppError('invalid-city', `The city file ${path} is not JSON: ${messageOf(cause)}`, { cause })
  }
}

/**
 * Names of the bundled codecs of LoRaWAN devices and of those in the city's own folder.
 * @throws AppError as ingest's `loadCodecs`
 */
export async function loadCodecNames(furtherDir: string | null): Promise<ReadonlySet<string>> {
  // Loaded here, since few commands ever ask.
  const { loadCodecs } = await import('@pulso/ingest')
  return new Set((await loadCodecs(furtherDir)).keys())
}
