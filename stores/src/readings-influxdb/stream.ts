import { AppError } from '@pulso/model'
import type { InfluxBucket, InfluxContent } from './address.ts'
import { toTables, type QueryAnswer, type ResultTable } from './influxql.ts'

/** Rows in one piece of an answer: a piece is a few hundred KB. */
const PIECE_ROWS = 2_000

/** Asks a bucket. */
export type InfluxStream = (content: InfluxContent, q: string) => AsyncIterable<ResultTable>

/**
 * Asks one InfluxQL statement whose answer may be larger than memory, and gives it piece by piece. An answer that ends
 * before its end is an error, so that nobody takes a part for the whole. Rows must be used without waiting for anything:
 * a server that cannot send on gives up.
 * @throws AppError `readings-unavailable`, `readings-refused`; the client's own errors
 */
export async function* streamInflux(
  { influx, queryPath }: Pick<InfluxBucket, 'influx' | 'queryPath'>,
  { q, silenceMs }: { q: string; silenceMs: number },
): AsyncGenerator<ResultTable> {
  const path = `${queryPath}&chunked=true&chunk_size=${PIECE_ROWS}`
  // The client's own limit notices only what is silent before the answer begins.
  const silence = new AbortController()
  const timer = setTimeout(() => silence.abort(), silenceMs)
  try {
    const body = influx.transport.iterate(path, new URLSearchParams({ q }).toString(), {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
      signal: silence.signal,
    })
    let isWhole = false
    for await (const line of toLines(body, () => timer.refresh())) {
      const answer = JSON.parse(line) as QueryAnswer
      isWhole = !answer.results?.some(
        ({ partial, series }) => partial ?? series?.some((each) => each.partial),
      )
      yield* toTables(answer)
    }
    if (!isWhole) throw toCutShort()
  } catch (error) {
    if (silence.signal.aborted) throw toCutShort(error)
    throw error
  } finally {
    clearTimeout(timer)
  }
}

async function* toLines(body: AsyncIterable<Uint8Array>, onBytes: () => void): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const bytes of body) {
    onBytes()
    const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) if (line !== '') yield line
  }
  if (rest !== '') throw toCutShort()
}

function toCutShort(cause?: unknown): AppError {
  return new AppError('readings-unavailable', 'InfluxDB did not finish its answer', {
    cause,
    retryable: true,
    status: 503,
  })
}
