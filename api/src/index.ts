export { createApi, type Api } from './api.ts'
export { hashPassword, verifyPassword } from './operators/password.ts'
export type { ApiLimits } from './limits.ts'
export type { ApiOptions, HealthCheck, Operations } from './options.ts'
