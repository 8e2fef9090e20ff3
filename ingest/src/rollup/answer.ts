import { AppError, formatDuration, type Bucket, type Kind, type Resolution } from '@pulso/model'
import type { AggregatedBucket, AggregateQuery, AggregatesQueries, AggregatesQuestion } from '@pulso/stores'
import { BUCKET_MS } from './limits.ts'
import { mergeRows } from './merge-rows.ts'
import type { RollupContext } from './context.ts'

/** Neighbouring buckets worked out at once. */
const MEASURED_AT_ONCE = 288

/**
 * Answers exactly at any time: stored rows where they hold; what is not stored yet, or what late readings have changed,
 * is worked out from the readings. A day that is not stored is the sum of its hours, so that never more than hours are.
 */
export function createAnswers(context: RollupContext): AggregatesQueries {
  const { rollups, calendar, places, progress, dueHours, clock, limits } = context
  /** The same question of many at the same moment is answered once. */
  const underWay = new Map<string, Promise<AggregatedBucket[]>>()

  const isStored = ({ kind, scope, resolution }: AggregatesQuestion, bucket: Bucket): boolean =>
    !(scope === 'sensor' && resolution === '5m') &&
    bucket.toMs <= (progress.untilMs(kind, resolution) ?? -Infinity) &&
    !dueHours.isChanged(kind, bucket)

  const readStored = async (
    question: AggregatesQuestion,
    buckets: readonly Bucket[],
  ): Promise<AggregatedBucket[]> => {
    if (buckets.length === 0) return []
    return toAnswer(buckets, await rollups.aggregates(toQuery(question, buckets)))
  }

  const measure = async (
    question: AggregatesQuestion,
    buckets: readonly Bucket[],
  ): Promise<AggregatedBucket[]> => {
    const most = question.scope === 'sensor' ? limits.measuredOfSensorMs : limits.measuredMs
    const totalMs = buckets.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0)
    if (totalMs > most) throw beingBuilt(question.resolution, most)
    const answers: AggregatedBucket[] = []
    for (const run of toRuns(buckets)) {
      const rows = await rollups.measure(toQuery(question, run), clock.now())
      answers.push(...toAnswer(run, rows))
    }
    return answers
  }

  const sumUpDays = async (
    kind: Kind,
    question: AggregatesQuestion,
    days: readonly Bucket[],
  ): Promise<AggregatedBucket[]> => {
    const answers: AggregatedBucket[] = []
    const hours: AggregatedBucket[] = []
    for (const run of toRuns(days)) {
      const [fromMs = 0, toMs = 0] = [run[0]?.fromMs, run.at(-1)?.toMs]
      hours.push(...(await answer(kind, { ...question, resolution: '1h', fromMs, toMs })))
    }
    for (const day of days) {
      const parts = hours.filter(({ fromMs }) => fromMs >= day.fromMs && fromMs < day.toMs)
      answers.push({ ...day, row: mergeRows(kind, question.metric, parts) })
    }
    return answers
  }

  const answer = async (kind: Kind, question: AggregatesQuestion): Promise<AggregatedBucket[]> => {
    const { resolution, fromMs, toMs } = question
    const buckets = calendar.bucketsOf(resolution, fromMs, Math.min(toMs, clock.now() + 1))
    const stored: Bucket[] = []
    const others: Bucket[] = []
    for (const bucket of buckets) (isStored(question, bucket) ? stored : others).push(bucket)
    const rest =
      resolution === '1d' ? await sumUpDays(kind, question, others) : await measure(question, others)
    return [...(await readStored(question, stored)), ...rest].sort((a, b) => a.fromMs - b.fromMs)
  }

  return {
    async aggregates(question) {
      const kind = requireKind(context, question)
      const { fromMs, toMs, resolution } = question
      if (toMs - fromMs > limits.questionBuckets * BUCKET_MS[resolution])
        throw new AppError('too-many-buckets', `At most ${limits.questionBuckets} buckets can be asked for`, {
          status: 400,
        })
      await places.tell()
      const key = JSON.stringify(question)
      const known = underWay.get(key)
      if (known) return known
      const answered = answer(kind, question).finally(() => underWay.delete(key))
      underWay.set(key, answered)
      return answered
    },
  }
}

function toQuery(
  { kind, scope, id, metric, resolution }: AggregatesQuestion,
  buckets: readonly Bucket[],
): AggregateQuery {
  return { kind, scope, id, metric, resolution, buckets }
}

function toAnswer(
  buckets: readonly Bucket[],
  rows: Awaited<ReturnType<RollupContext['rollups']['aggregates']>>,
): AggregatedBucket[] {
  const byStart = new Map(rows.map(({ fromMs, ...row }) => [fromMs, row]))
  return buckets.map((bucket) => ({ ...bucket, row: byStart.get(bucket.fromMs) ?? null }))
}

function toRuns(buckets: readonly Bucket[]): Bucket[][] {
  const runs: Bucket[][] = []
  for (const bucket of buckets) {
    const run = runs.at(-1)
    if (run && run.length < MEASURED_AT_ONCE && run.at(-1)?.toMs === bucket.fromMs) run.push(bucket)
    else runs.push([bucket])
  }
  return runs
}

function requireKind({ kinds }: RollupContext, { kind: id, metric }: AggregatesQuestion): Kind {
  const kind = kinds.get(id)
  if (!kind) throw new AppError('unknown-kind', `There is no kind '${id}'`, { status: 404 })
  if (!Object.hasOwn(kind.metrics, metric))
    throw new AppError('unknown-metric', `The kind '${id}' has no metric '${metric}'`, { status: 404 })
  return kind
}

function beingBuilt(resolution: Resolution, mostMs: number): AppError {
  return new AppError(
    'aggregates-being-built',
    `More than ${formatDuration(mostMs)} of what was asked for (in steps of ${resolution}) is not summed up yet; it is being worked on, please ask for less or try again later`,
    { status: 503 },
  )
}
