export { createApi, type Api } from './api.ts'
export { hashPassword, verifyPassword } from './operators/password.ts'
export { DEFAULT_LIMITS, type ApiLimits } from './limits.ts'
export type { ApiOptions, HealthCheck, HealthFacts, OpenData, Operations } from './options.ts'
export {
  newestId,
  purgeQuarantineStep,
  readQuarantineEntry,
  readQuarantinePage,
  readQuarantineTotals,
  toQuarantineFilter,
} from './quarantine.ts'
export { createCsvEncoder } from './export/csv.ts'
export type { Encoder } from './export/encoder.ts'
