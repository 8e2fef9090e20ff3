/** What the HTTP interface says of the quarantine, and what operators may ask of it. */
import { Type, type Static } from 'typebox'
import { QUARANTINE_REASONS } from './kind.ts'

const IsoTime = Type.String({ format: 'date-time', description: 'ISO 8601 in UTC' })
const Reason = Type.Enum([...QUARANTINE_REASONS])
const NullableText = Type.Union([Type.String(), Type.Null()])

export const QuarantineView = Type.Object({
  id: Type.Integer(),
  receivedAt: IsoTime,
  reason: Reason,
  detail: Type.String(),
  topic: Type.String(),
  sensor: NullableText,
  metric: NullableText,
  /** What arrived, as text, at most the payload limit. */
  payload: Type.String(),
  /** The same in hexadecimal where it is no UTF-8 text; null where it is. */
  hex: NullableText,
})
export type QuarantineView = Static<typeof QuarantineView>

export const QuarantinePage = Type.Object({
  entries: Type.Array(QuarantineView),
  next: Type.Union([Type.Integer(), Type.Null()]),
})
export type QuarantinePage = Static<typeof QuarantinePage>

/** The same mistake of the same sensor, however often it was made. */
export const QuarantineTotalView = Type.Object({
  id: Type.Integer(),
  reason: Reason,
  sensor: Type.Union([Type.String(), Type.Null()], { description: '`*`: sensors beyond those told apart' }),
  metric: NullableText,
  count: Type.Integer({ description: 'How often, and neither stored since nor deleted' }),
  kept: Type.Integer({ description: 'How many of them are still here; the others were dropped at a bound' }),
  firstReceivedAt: IsoTime,
  lastReceivedAt: IsoTime,
  sample: Type.Object({
    detail: Type.String(),
    topic: Type.String(),
    payload: Type.String({ description: 'The beginning of the latest' }),
  }),
})
export type QuarantineTotalView = Static<typeof QuarantineTotalView>

export const QuarantineTotals = Type.Object({
  totals: Type.Array(QuarantineTotalView, { description: 'Those made last first' }),
  entries: Type.Integer({ description: 'Entries in the whole quarantine' }),
  bytes: Type.Integer({ description: 'What their payloads take' }),
  dropped: Type.Integer({ description: 'Entries dropped at a bound, ever' }),
})
export type QuarantineTotals = Static<typeof QuarantineTotals>

/** Entries for which all of it holds: everything when it is empty. */
export const QuarantineSelection = Type.Object(
  {
    id: Type.Optional(Type.Integer({ minimum: 1, description: 'This entry' })),
    total: Type.Optional(Type.Integer({ minimum: 1, description: 'Those of a row of the totals' })),
    reason: Type.Optional(Type.Enum([...QUARANTINE_REASONS])),
    sensor: Type.Optional(Type.String({ maxLength: 256 })),
    receivedBefore: Type.Optional(IsoTime),
    through: Type.Optional(
      Type.Integer({ minimum: 0, description: 'As in the answer before: nothing that came later' }),
    ),
  },
  { additionalProperties: false, examples: [{ reason: 'over-capacity', sensor: 'garage-1' }] },
)
export type QuarantineSelection = Static<typeof QuarantineSelection>

export const QuarantineReplay = Type.Object(
  {
    ...QuarantineSelection.properties,
    after: Type.Optional(
      Type.Integer({ minimum: 0, description: 'As in the answer before: where to go on' }),
    ),
  },
  { additionalProperties: false, examples: [{ reason: 'over-capacity', sensor: 'garage-1' }] },
)
export type QuarantineReplay = Static<typeof QuarantineReplay>

/** One step of a replay. */
export const QuarantineReplayed = Type.Object({
  entries: Type.Integer({ description: 'Entries taken out of quarantine' }),
  messages: Type.Integer({
    description: 'Messages put into the journal: entries of the same message share it',
  }),
  refused: Type.Integer({ description: 'Entries that came back: they are still not right' }),
  settled: Type.Boolean({
    description: 'False when ingest has not got to them yet: what is refused is not known then',
  }),
  next: Type.Union([Type.Object({ after: Type.Integer(), through: Type.Integer() }), Type.Null()], {
    description: 'To be sent with the same selection for the rest; null at the end',
  }),
})
export type QuarantineReplayed = Static<typeof QuarantineReplayed>

/** One step of deleting. */
export const QuarantinePurged = Type.Object({
  removed: Type.Integer(),
  next: Type.Union([Type.Object({ through: Type.Integer() }), Type.Null()], {
    description: 'To be sent with the same selection for the rest; null at the end',
  }),
})
export type QuarantinePurged = Static<typeof QuarantinePurged>
