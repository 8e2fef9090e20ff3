import { spawn } from 'node:child_process'
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { boxEnvironment, collect, ROOT } from './box.ts'

export interface GuideBlock {
  language: string
  code: string
}

/** The code blocks of a guide, by the heading they stand under. */
export function readGuide(file: string): ReadonlyMap<string, readonly GuideBlock[]> {
  const sections = new Map<string, GuideBlock[]>()
  let blocks: GuideBlock[] = []
  let block: GuideBlock | undefined
  for (const line of readFileSync(join(ROOT, file), 'utf8').split('\n')) {
    const fence = /^```(\w*)$/.exec(line)
    const heading = /^## (.+)$/.exec(line)?.[1]
    if (fence && block) block = undefined
    else if (fence) blocks.push((block = { language: fence[1] ?? '', code: '' }))
    else if (block) block.code += `${line}\n`
    else if (heading !== undefined) sections.set(heading, (blocks = []))
  }
  return sections
}

export interface GuideShell {
  /** Runs code as a reader would paste it. @throws Error with all that it wrote, when it fails */
  run(code: string): Promise<string>
  /** A password that a command has printed, by its username. */
  password(username: string): string
}

/** Longer than this nothing on a page takes that somebody is to paste. */
export const PASTE_LIMIT_MS = 60_000

export interface GuideShellOptions {
  dataDir: string
  /** Where it runs; what it makes goes here. */
  folder: string
  /** The ports that the guide names, and those that are meant. */
  ports: Readonly<Record<string, number>>
}

/**
 * A shell in which `npx pulso` is this project's, and in which `PASSWORD` and `TOKEN` stand for what the commands before have
 * printed.
 */
export function createGuideShell({ dataDir, folder, ports }: GuideShellOptions): GuideShell {
  const secrets = join(folder, 'printed-secrets')
  mkdirSync(secrets)
  const npx = join(folder, 'npx')
  writeFileSync(npx, toShim(secrets))
  chmodSync(npx, 0o755)
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
  const environment = boxEnvironment({ dataDir })

  return {
    async run(code) {
      const filled = withPorts(code, ports)
        .replaceAll(/-u (\S+) -P PASSWORD/g, (_, name: string) => `-u ${name} -P "$(cat ${secrets}/${name})"`)
        .replaceAll('-u TOKEN', `-u "$(cat ${secrets}/token)"`)
      const child = spawn('bash', ['-euo', 'pipefail', '-c', filled], {
        cwd: folder,
        env: { ...environment, PATH: `${folder}${delimiter}${environment.PATH ?? ''}` },
        stdio: ['ignore', 'pipe', 'pipe'],
        timeout: PASTE_LIMIT_MS,
      })
      const { code: exitCode, stdout, stderr } = await collect(child)
      if (exitCode !== 0) throw new Error(`ended with ${String(exitCode)}:\n${code}\n${stdout}\n${stderr}`)
      return stdout
    },
    password: (username) => readFileSync(join(secrets, username), 'utf8').trim(),
  }
}

/** The guide's ports are the usual ones; a test has others. */
export function withPorts(code: string, ports: Readonly<Record<string, number>>): string {
  // In one go: a port of the test may look like one of the guide's.
  return code.replaceAll(new RegExp(Object.keys(ports).join('|'), 'g'), (port) => String(ports[port] ?? port))
}

function toShim(secrets: string): string {
  const pulso = join(ROOT, 'cli/src/pulso.ts')
  return `#!/bin/bash
shift
out=$('${process.execPath}' '${pulso}' "$@") || exit $?
echo "$out"
name=$(sed -n 's/^username  //p' <<< "$out")
if [ -n "$name" ]; then sed -n 's/^password  //p' <<< "$out" > '${secrets}'/"$name"; fi
token=$(sed -n 's/^token     //p' <<< "$out")
if [ -n "$token" ]; then echo "$token" > '${secrets}/token'; fi
`
}
