#!/usr/bin/env node
import { enableCompileCache } from 'node:module'
import { fileURLToPath } from 'node:url'

// The data folder holds hashes of secrets: for its owner alone, whatever the shell's umask is.
process.umask(0o077)
// In our own folder: a cache that others can write to would be a way in. Threads take it from the environment.
const cache = fileURLToPath(new URL('../../node_modules/.cache/node', import.meta.url))
process.env.NODE_COMPILE_CACHE ??= cache
enableCompileCache(cache)
// Everything else comes behind it, or it would be compiled anew at each start.
await import('./program.ts')
