import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/**
 * Why a test is skipped, or false: a program that is missing is a reason on a person's machine, and a failure in CI,
 * which has to install it.
 */
export function skipWithout(program: string): string | false {
  if (findProgram(program)) return false
  if (process.env.CI === 'true') throw new Error(`${program} is missing: CI has to install it`)
  return `${program} is not installed here`
}

export function findProgram(program: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/bin', '/usr/sbin']
  return folders.map((folder) => join(folder, program)).find((path) => existsSync(path))
}
