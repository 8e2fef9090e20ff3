import { spawnSync } from 'node:child_process'
import { closeSync, openSync, readSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findProgram } from '../../support/programs.ts'

export type FsyncFault = 'none' | 'all' | 'only'

/** Makes the system lie to a process or fail it, through a library that is loaded before all others. */
export interface Faults {
  /** What the process is started with. */
  env: Record<string, string>
  /** How far the clock of the day is off. */
  setClockOffset(offsetMs: number): void
  /** Lets `fsync` and `fdatasync` fail: all of them, or only of the files that were named. */
  setFsync(fault: FsyncFault): void
  /** How many have failed. */
  fsyncFailures(): number
  close(): void
}

const SOURCE = fileURLToPath(new URL('./faults.c', import.meta.url))
const FSYNC_MODES: Readonly<Record<FsyncFault, bigint>> = { none: 0n, all: 1n, only: 2n }
const OFFSETS = { clock: 0, fsync: 8, failures: 16, end: 24 }

/** @param options.only part of the names of the files that `only` is about */
export function createFaults({ folder, only }: { folder: string; only: string }): Faults {
  const library = join(folder, 'faults.so')
  const compiler = findProgram('gcc') ?? 'gcc'
  const built = spawnSync(compiler, ['-shared', '-fPIC', '-O2', '-Wall', '-o', library, SOURCE, '-ldl'])
  if (built.status !== 0) throw new Error(`${compiler} failed: ${String(built.stderr)}`)
  const control = join(folder, 'faults')
  writeFileSync(control, Buffer.alloc(OFFSETS.end))
  const file = openSync(control, 'r+')

  const write = (value: bigint, offset: number): void => {
    const bytes = Buffer.alloc(8)
    bytes.writeBigInt64LE(value)
    writeSync(file, bytes, 0, bytes.length, offset)
  }
  return {
    env: { LD_PRELOAD: library, CHAOS_FAULTS: control, CHAOS_FSYNC_ONLY: only },
    setClockOffset: (offsetMs) => write(BigInt(Math.round(offsetMs)) * 1_000_000n, OFFSETS.clock),
    setFsync: (fault) => write(FSYNC_MODES[fault], OFFSETS.fsync),
    fsyncFailures() {
      const bytes = Buffer.alloc(8)
      readSync(file, bytes, 0, bytes.length, OFFSETS.failures)
      return Number(bytes.readBigInt64LE())
    },
    close: () => closeSync(file),
  }
}
