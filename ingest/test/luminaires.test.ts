import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { loadCodecs } from '../src/index.ts'
import { LUMINAIRES, NO_DATA } from './support/examples.ts'

interface Example {
  codec: string
  suite: string
  name: string
  fport: number
  data: string
  expected: { data: unknown; errors: string[]; warnings: string[] }
}

/** The file's decoders are one per firmware and direction; ours are one per firmware. */
const CODECS: Readonly<Record<string, string>> = { '1_0_x': 'nas-ul20xx-1-0', '1_1_x': 'nas-ul20xx-1-1' }

const isThere = existsSync(LUMINAIRES)

describe('luminaires', { skip: !isThere && NO_DATA }, async () => {
  const codecs = await loadCodecs(null)
  const examples = isThere ? (JSON.parse(readFileSync(LUMINAIRES, 'utf8')) as Example[]) : []

  it('has every example of the data folder', () => assert.equal(examples.length, 125))

  for (const [index, { codec: decoder, name, fport, data, expected }] of examples.entries()) {
    it(`${index} (${decoder}): ${name}`, () => {
      const codec = codecs.get(CODECS[/\d_\d_x/.exec(decoder)?.[0] ?? ''] ?? '')
      assert.ok(codec)
      const bytes = Buffer.from(data.replaceAll(' ', ''), 'hex')
      assert.deepEqual(codec.decode({ fPort: fport, bytes }), expected)
    })
  }
})
