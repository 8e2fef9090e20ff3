/**
 * Builds the pages only when something they are made of has changed since the last build. `npm start` runs this
 * before the server; `--force` builds in any case.
 */
import { createHash } from 'node:crypto'
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'

const webDir = join(import.meta.dirname, '..')
const rootDir = join(webDir, '..')
const stampFile = join(webDir, 'dist', '.built-from')
const sources = [
  ...[
    'src',
    'index.html',
    'ops.html',
    'vite.config.ts',
    'svelte.config.js',
    'package.json',
    'tsconfig.json',
  ].map((name) => join(webDir, name)),
  join(rootDir, 'model', 'src'),
  join(rootDir, 'package-lock.json'),
]

const startedMs = performance.now()
const fingerprint = toFingerprint(sources)
const builtFrom = existsSync(stampFile) ? readFileSync(stampFile, 'utf8') : undefined

if (fingerprint === builtFrom && !process.argv.includes('--force')) {
  say('unchanged, nothing to build')
} else {
  build()
  writeFileSync(stampFile, fingerprint)
  say(`built in ${((performance.now() - startedMs) / 1_000).toFixed(1)} s`)
}

/** One hash over every file's path and content, in a stable order. */
function toFingerprint(paths: readonly string[]): string {
  const hash = createHash('sha256')
  for (const file of paths.flatMap(listFiles).sort()) {
    hash
      .update(`${relative(rootDir, file)}\0`)
      .update(readFileSync(file))
      .update('\0')
  }
  return hash.digest('hex')
}

function listFiles(path: string): string[] {
  if (!existsSync(path)) return []
  try {
    return readdirSync(path, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOTDIR') return [path]
    throw error
  }
}

function build(): void {
  const result = spawnSync(process.execPath, [findVite(), 'build', '--logLevel', 'warn'], {
    cwd: webDir,
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  if (result.status !== 0) fail('the build failed; its messages stand above')
}

/** Vite's program. The pages are built from sources, so a production-only install lacks it. */
function findVite(): string {
  try {
    const manifest = createRequire(join(webDir, 'package.json')).resolve('vite/package.json')
    return join(dirname(manifest), 'bin', 'vite.js')
  } catch {
    return fail('the pages must be built and vite is not installed: run `npm ci` (without --omit=dev)')
  }
}

function say(text: string): void {
  process.stdout.write(`web: ${text}\n`)
}

function fail(text: string): never {
  process.stderr.write(`web: ${text}\n`)
  process.exit(1)
}
