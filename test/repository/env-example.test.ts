import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { it } from 'node:test'
import { parseEnv } from 'node:util'
import { VARIABLES } from '../../cli/src/config/schema.ts'
import { ROOT } from '../support/box.ts'

const EXAMPLE = readFileSync(join(ROOT, '.env.example'), 'utf8')

it('shows every setting with its default in .env.example, and no other', () => {
  // Settings stand there commented out, so that copying the file changes nothing.
  const shown = parseEnv(EXAMPLE.replace(/^# ?(?=PULSO_)/gm, ''))
  const wanted = Object.values(VARIABLES).map(({ name, defaultText }) => [name, defaultText ?? ''])
  assert.deepEqual(
    Object.entries(shown)
      .filter(([name]) => name.startsWith('PULSO_'))
      .toSorted(),
    wanted.toSorted(),
  )
})

it('explains every setting in .env.example', () => {
  for (const { name, help } of Object.values(VARIABLES)) assert.ok(EXAMPLE.includes(help), `${name}: ${help}`)
})
