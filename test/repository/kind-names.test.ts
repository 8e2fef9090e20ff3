import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { globSync } from 'node:fs'
import { join } from 'node:path'
import { it } from 'node:test'
import { ROOT } from '../support/box.ts'

const KIND_FILES = globSync('model/src/kinds/*.ts', { cwd: ROOT })

/** Where a kind may be named: its own file, the virtual city and replay, and codecs of certain devices. */
const ALLOWED = [/^model\/src\/kinds\//, /^simulators\//, /\/codecs\//]

/** An address that is older than the kinds and means whatever has free places. */
const ADDRESS = '/api/v1/parking/nearest'

it('names no kind outside its own file, the simulators and codecs', () => {
  const ids = KIND_FILES.map(
    (file) => /\bid: '([^']+)'/.exec(readFileSync(join(ROOT, file), 'utf8'))?.[1] ?? file,
  )
  assert.ok(ids.length >= 4)
  const named = new RegExp(
    `(['"\`/])(${ids.join('|')})\\1|\\.(${ids.join('|')})\\b(?!\\.)|/kinds/(${ids.join('|')})\\b`,
  )
  const sources = globSync('*/src/**/*.{ts,svelte}', { cwd: ROOT }).filter(
    (file) => !ALLOWED.some((pattern) => pattern.test(file)),
  )
  assert.ok(sources.length > 50)

  const places = sources.flatMap((file) =>
    readFileSync(join(ROOT, file), 'utf8')
      .split('\n')
      .flatMap((line, index) =>
        named.test(line.replaceAll(ADDRESS, '')) ? [`${file}:${index + 1}: ${line.trim()}`] : [],
      ),
  )
  assert.deepEqual(places, [])
})
