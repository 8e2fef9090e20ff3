import assert from 'node:assert/strict'
import { it } from 'node:test'
import { fuzzHttp } from './http-fuzz.ts'
import { fuzzIngest } from './ingest-fuzz.ts'
import { untilCases, untilSeconds } from './report.ts'
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

it('no request that can be made from the description of the interface gets an answer that it does not describe', async () => {
  // From the first request on: how long a box takes to start is another question.
  let limit: ReturnType<typeof untilSeconds> | undefined
  const goesOn = (cases: number): boolean => cases < 2_000 && (limit ??= untilSeconds(8)).goesOn(cases)
  const report = await fuzzHttp({ ...options, goesOn, atMost: (cases) => 2_000 - cases })
  assert.deepEqual(report.faults, [])
  assert.ok(report.cases > 0)
})
