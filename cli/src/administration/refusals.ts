import { AppError, DAY_MS, SECOND_MS } from '@pulso/model'

/** Longer than this an old secret is no overlap but a second secret. */
const MAX_OVERLAP_MS = 30 * DAY_MS
/** More mistakes than this help nobody at once. */
const MAX_MISTAKES = 100

export function invalidDevice(mistakes: readonly string[]): AppError {
  return new AppError('invalid-device', mistakes.join('\n'), { status: 400, details: mistakes })
}

/** What an import cannot take, with its places. Nothing of it was imported. */
export function invalidImport(mistakes: readonly string[]): AppError {
  const shown = mistakes.slice(0, MAX_MISTAKES)
  const rest = mistakes.length - shown.length
  const lines = ['Nothing was imported:', ...shown, ...(rest > 0 ? [`and ${rest} more`] : [])]
  return new AppError('invalid-import', lines.join('\n'), { status: 400, details: shown })
}

export function unknownDevice(id: string): AppError {
  return new AppError(
    'unknown-credential',
    `There is no credential '${id}'; 'pulso device list' shows those there are`,
    { status: 404 },
  )
}

export function noSecret(username: string): AppError {
  return new AppError(
    'no-secret',
    `'${username}' gets in with a client certificate: sign a new one for it; 'pulso device revoke ${username}' ends the old one`,
    { status: 409 },
  )
}

export function gatewayNameTaken(username: string): AppError {
  return new AppError(
    'credential-exists',
    `A device is called '${username}', which is the name of this gateway: revoke it first (pulso device revoke ${username})`,
    { status: 409 },
  )
}

/** @throws AppError `invalid-overlap` */
export function checkOverlap(overlapMs: number): void {
  if (overlapMs >= SECOND_MS && overlapMs <= MAX_OVERLAP_MS) return
  throw new AppError(
    'invalid-overlap',
    'An overlap is 1s to 30d long; without one the old secret ends at once',
    {
      status: 400,
    },
  )
}
