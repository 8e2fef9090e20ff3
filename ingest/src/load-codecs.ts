import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { AppError, messageOf } from '@pulso/model'
import { defineCodec, type Codec, type Codecs } from './codec.ts'

const BUNDLED = fileURLToPath(new URL('./codecs/', import.meta.url))

/**
 * Every codec of the platform and of the city's own folder, by name: a new device is one new file.
 * @throws AppError `invalid-codec`, `duplicate-codec`
 */
export async function loadCodecs(furtherDir: string | null): Promise<Codecs> {
  const folders = furtherDir === null ? [BUNDLED] : [BUNDLED, furtherDir]
  const lists = await Promise.all(folders.map(loadFolder))
  const codecs = new Map<string, Codec>()
  for (const codec of lists.flat()) {
    if (codecs.has(codec.name)) {
      throw new AppError('duplicate-codec', `Two files define the codec '${codec.name}'`)
    }
    codecs.set(codec.name, codec)
  }
  return codecs
}

async function loadFolder(folder: string): Promise<Codec[]> {
  const names = await readdir(folder).catch((cause: unknown) => {
    throw new AppError(
      'invalid-codec',
      `The folder of codecs ${folder} cannot be read: ${messageOf(cause)}`,
      {
        cause,
      },
    )
  })
  const files = names.filter((name) => /\.(ts|js)$/.test(name) && !name.endsWith('.d.ts')).toSorted()
  return Promise.all(files.map((name) => loadCodec(join(folder, name))))
}

async function loadCodec(file: string): Promise<Codec> {
  const module = (await import(pathToFileURL(file).href).catch((cause: unknown) => {
    throw new AppError('invalid-codec', `The codec file ${file} cannot be loaded: ${messageOf(cause)}`, {
      cause,
    })
  })) as { default?: Codec }
  if (module.default === undefined) {
    throw new AppError('invalid-codec', `The codec file ${file} has no default export of a codec`)
  }
  return defineCodec(module.default)
}
