import type { QuarantineReason, Resolution, Sensor, SensorState } from '@pulso/model'

/** What a credential may publish for: one sensor, or every sensor id with the prefix. */
export type CredentialScope = { type: 'sensor'; sensorId: string } | { type: 'gateway'; prefix: string }

/**
 * How a device proves itself: `password` with username and secret, `token` with the secret in the username's place (as
 * ThingsBoard's devices do), `certificate` with a client certificate whose common name is the username.
 */
export type CredentialAccess = 'password' | 'token' | 'certificate'

export interface Credential {
  /** Names the credential everywhere: also one with a token, which is never logged or kept. */
  username: string
  access: CredentialAccess
  /** SHA-256 of the secret in hex: the secret is random, so a fast hash is right. `null` with a certificate. */
  secretHash: string | null
  /** The secret before the last rotation, where it was given time to overlap. */
  previous: { secretHash: string; untilMs: number } | null
  scope: CredentialScope
  createdAtMs: number
}

export interface SensorsRegistry {
  getSensor(id: string): Promise<Sensor | undefined>
  /** The sensor that a LoRaWAN network knows by this DevEUI. */
  findSensorByDevEui(devEui: string): Promise<Sensor | undefined>
  /**
   * Adds sensors, or changes name, position, attributes and LoRaWAN device of known ones. A sensor's kind never changes.
   * All of them or none.
   * @throws AppError `sensor-kind-differs` (409), `dev-eui-taken` (409)
   */
  putSensors(sensors: readonly Sensor[]): Promise<void>
  /** Sensors added or changed behind `revision` (0 for all), and the revision to ask with next time. */
  sensorsSince(revision: number): Promise<{ revision: number; sensors: Sensor[] }>
}

export interface CredentialsRegistry {
  findCredential(username: string): Promise<Credential | undefined>
  /** The `token` credential whose secret, or previous one, has this hash. Its overlap is the caller's to judge. */
  findToken(secretHash: string): Promise<Credential | undefined>
  /** @throws AppError `credential-exists` (409), `token-taken` (409) */
  addCredential(credential: Credential): Promise<void>
  /**
   * Replaces the secret of a known credential; the old one becomes `previous` when it may still be used until a time.
   * @throws AppError `unknown-credential` (404)
   */
  setSecret(username: string, secretHash: string, previousUntilMs?: number): Promise<void>
  /** @returns false when there was none */
  removeCredential(username: string): Promise<boolean>
  listCredentials(): Promise<Credential[]>
}

/** What an administrator brings in at once. */
export interface DevicesBatch {
  /** As for `putSensors`. */
  sensors: readonly Sensor[]
  /** As for `addCredential`. */
  credentials: readonly Credential[]
}

export interface Operator {
  name: string
  /** scrypt, in the form `scrypt$N$r$p$salt$hash` (base64). */
  passwordHash: string
  createdAtMs: number
}

export interface OperatorSession {
  /** SHA-256 of the cookie's random token, in hex. */
  tokenHash: string
  operator: string
  expiresAtMs: number
}

export interface OperatorsRegistry {
  getOperator(name: string): Promise<Operator | undefined>
  listOperators(): Promise<Operator[]>
  /** Adds or replaces. Replacing ends the operator's sessions. */
  putOperator(operator: Operator): Promise<void>
  /** Ends the sessions too. @returns false when there was none */
  removeOperator(name: string): Promise<boolean>
  addSession(session: OperatorSession): Promise<void>
  /** A session that has not expired at `nowMs`. */
  findSession(tokenHash: string, nowMs: number): Promise<OperatorSession | undefined>
  removeSession(tokenHash: string): Promise<void>
  /** @returns how many */
  removeExpiredSessions(nowMs: number): Promise<number>
}

/** Something kept aside instead of stored. */
export interface QuarantineEntry {
  /** A reading without a device time takes its identity from this: an entry about one element carries that element's. */
  receivedAtMs: number
  reason: QuarantineReason
  /** One sentence for the device's developer. */
  detail: string
  topic: string
  sensorId: string | null
  /** The one metric it is about, or null for the whole message. */
  metric: string | null
  payload: Uint8Array
  /** It was in quarantine before, was put into the journal again, and is refused again. */
  isReturned?: true
}

export interface StoredQuarantineEntry extends Omit<QuarantineEntry, 'isReturned'> {
  /** Rises with each entry. */
  id: number
  /** The row of the totals that it counts in. */
  totalId: number
}

/** Which entries are meant: those for which all of it holds. */
export interface QuarantineFilter {
  id?: number
  /** Those of one row of the totals. */
  totalId?: number
  reason?: QuarantineReason
  sensorId?: string
  receivedBeforeMs?: number
  /** None that came later than this one: what comes back from a replay is not taken again. */
  throughId?: number
}

export interface QuarantineQuery extends QuarantineFilter {
  /** Entries with a smaller id, newest first. */
  beforeId?: number
  /** Entries with a larger id, oldest first. */
  afterId?: number
  limit: number
}

/** The same mistake of the same sensor, however often it was made. */
export interface QuarantineTotal {
  id: number
  reason: QuarantineReason
  /** `*` sums up the sensors beyond the number of rows that are kept. */
  sensorId: string | null
  metric: string | null
  /** How often it was made and has neither been stored since nor deleted by someone. */
  count: number
  /** How many of these are entries still; the others were dropped at a bound. */
  kept: number
  firstReceivedAtMs: number
  lastReceivedAtMs: number
  /** The latest, its payload cut at `QUARANTINE_SAMPLE_BYTES`. */
  sample: { detail: string; topic: string; payload: Uint8Array }
}

export interface QuarantineCounts {
  entries: number
  /** Of their payloads. */
  bytes: number
  /** Entries dropped at a bound, ever. */
  dropped: number
  /** Entries that came back from a replay, ever. */
  returned: number
  /** Sums of the totals' `count`. */
  byReason: Record<string, number>
  bySensor: Record<string, number>
}

export interface QuarantineRegistry {
  listQuarantine(query: QuarantineQuery): Promise<StoredQuarantineEntry[]>
  /** The rows that a filter's reason, sensor and total mean, those made last first. */
  listQuarantineTotals(
    query: Pick<QuarantineFilter, 'totalId' | 'reason' | 'sensorId'> & { limit: number },
  ): Promise<QuarantineTotal[]>
  countQuarantine(): Promise<QuarantineCounts>
  /**
   * One step of deleting: at most `limit` entries, oldest first. When there are fewer, the totals that are left without
   * entries go too, as far as the filter means them whole. @returns how many entries went
   */
  purgeQuarantine(filter: QuarantineFilter, limit: number): Promise<number>
  /** Takes out entries that were put into the journal again. @returns how many were there */
  releaseQuarantine(ids: readonly number[]): Promise<number>
}

/** What one batch of ingest changes, besides the readings themselves. */
export interface IngestCommit {
  /** The journal's position that the batch ends at. */
  position: number
  /** Sensors first heard of through a gateway. */
  newSensors: readonly Sensor[]
  /** The newest of each sensor that the batch touched, with what ingest needs to go on after a restart. */
  states: readonly IngestState[]
  quarantine: readonly QuarantineEntry[]
  /** Hours whose stored aggregates its readings have made untrue. */
  dueHours?: readonly DueHour[]
}

/** A sensor's state and ingest's own memory beside it. */
export interface IngestState extends SensorState {
  /** Values at the newest time exactly, to tell a duplicate from a correction without asking the store. */
  newest: Readonly<Record<string, string | number>>
  /** The last hour's samples of the kind's `hourlyMetrics`: `[timeMs, value]`, oldest first. */
  window: Readonly<Record<string, readonly (readonly [number, number])[]>>
}

export interface IngestRegistry {
  /**
   * Keeps all of a batch's effects, or none. A quarantine beyond its bounds drops entries: the oldest of a row of the
   * totals that has too many, so that one device's flood cannot push out what others sent, then the oldest of all.
   */
  commitIngest(commit: IngestCommit): Promise<void>
  /** The position of the last commit, 0 before the first. */
  ingestPosition(): Promise<number>
  listStates(): Promise<IngestState[]>
  getState(sensorId: string): Promise<IngestState | undefined>
}

/** An hour of the city whose aggregates are to be worked out anew. */
export interface DueHour {
  kind: string
  /** Its start. */
  hourMs: number
  /**
   * The journal's position of the batch that brought it up last. 0 when only a rebuild asked: what is stored holds until
   * it is worked out anew.
   */
  position: number
}

/** What a kind's aggregates have come to: up to where buckets are stored, or up to where readings were deleted (`raw`). */
export interface RollupMark {
  kind: string
  what: Resolution | 'raw'
  untilMs: number
}

export interface RollupsRegistry {
  listRollupMarks(): Promise<RollupMark[]>
  /** Adds or replaces. */
  putRollupMark(mark: RollupMark): Promise<void>
  listDueHours(): Promise<DueHour[]>
  /** An hour that is due already keeps the greater position. */
  addDueHours(hours: readonly DueHour[]): Promise<void>
  /** Those that no batch behind the given position has brought up again. */
  removeDueHours(hours: readonly DueHour[]): Promise<void>
}

/** Small, precious, relational. Several threads or processes may hold it open at once. */
export interface Registry
  extends
    SensorsRegistry,
    CredentialsRegistry,
    OperatorsRegistry,
    QuarantineRegistry,
    IngestRegistry,
    RollupsRegistry {
  readonly driver: string
  /**
   * Puts sensors and adds credentials, all of them or none.
   * @throws AppError what `putSensors` and `addCredential` throw
   */
  addDevices(batch: DevicesBatch): Promise<void>
  /** @throws AppError `registry-unavailable` (retryable) */
  check(): Promise<void>
  close(): Promise<void>
}
