import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { it } from 'node:test'
import { QUARANTINE_REASONS } from '@pulso/model'
import { createFormat } from '../src/shared/format.ts'
import { LANGUAGES, type Message } from '../src/shared/i18n.ts'
import { toReasonKey } from '../src/ops/reasons.ts'
import { opsMessages } from '../src/ops/texts.ts'
import { formatBytes, formatRate, formatWait } from '../src/ops/units.ts'

const folder = join(import.meta.dirname, '../src/ops')

const placeholders = (message: Message): string[] =>
  (typeof message === 'string' ? message : message.other).match(/\{\w+\}/g)?.toSorted() ?? []

it('puts the same values into every language’s sentences', () => {
  for (const [key, message] of Object.entries(opsMessages.en)) {
    for (const language of LANGUAGES) {
      const translated = opsMessages[language][key as keyof typeof opsMessages.en]
      assert.deepEqual(placeholders(translated), placeholders(message), `${language} ${key}`)
    }
  }
})

it('has words for every reason of the quarantine, and none for one it does not know', () => {
  for (const reason of QUARANTINE_REASONS) assert.ok(toReasonKey(reason), reason)
  assert.equal(toReasonKey('made-up'), undefined)
  assert.equal(toReasonKey('__proto__'), undefined)
})

it('keeps no text that nothing shows', () => {
  const sources = readdirSync(folder)
    .filter((name) => !name.startsWith('texts'))
    .map((name) => readFileSync(join(folder, name), 'utf8'))
    .join('\n')
  const unused = Object.keys(opsMessages.en).filter(
    (key) => !sources.includes(`'${key}'`) && !/^(reasons|places)\./.test(key),
  )
  assert.deepEqual(unused, [])
})

it('writes bytes, waits and rates as a person says them', () => {
  const format = createFormat('en')
  assert.equal(formatBytes(231, 'en'), '0.2 kB')
  assert.equal(formatBytes(154_300, 'en'), '154 kB')
  assert.equal(formatBytes(1_500_000, 'en'), '1.5 MB')
  assert.equal(formatWait(420, format), '0.4 s')
  assert.equal(formatWait(75_000, format), '1 min')
  assert.equal(formatRate(1.26, format), '1.3')
  assert.equal(formatRate(1_260.4, format), '1,260')
})
