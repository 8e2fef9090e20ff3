import assert from 'node:assert/strict'
import { it } from 'node:test'
import { fuzzIngest } from './ingest-fuzz.ts'
import { untilCases } from './report.ts'
import { fuzzSockets } from './socket-fuzz.ts'

const CASES = 20_000
const options = { seed: 20_261_121, ...untilCases(CASES), onProgress: () => undefined }

it(`ingest takes ${CASES} malformed payloads, accounts for each, and stores the good ones among them`, async () => {
  const report = await fuzzIngest(options)
  assert.deepEqual(report.faults, [])
  assert.equal(report.cases, CASES)
})

it(`the broker bears ${CASES} malformed packets and goes on serving proper devices`, async () => {
  const report = await fuzzSockets(options)
  assert.deepEqual(report.faults, [])
  assert.ok(report.cases >= CASES)
})
