import { randomUUID } from 'node:crypto'
import { equalHashes, hashSecret, type Credential, type CredentialsRegistry } from '@pulso/stores'

/** What a CONNECT brings to prove who it is. */
export interface Claim {
  username: string
  password: Uint8Array
  /** The common name of a verified client certificate. */
  certificateName: string | undefined
}

export interface Identity {
  credential: Credential
  /** Until when the secret counts, where it is the one before the last rotation. */
  untilMs: number | undefined
}

export interface Findings {
  /** Who it is; nothing when nothing was proved. */
  identity: Identity | undefined
  /** For the log: the credential that was meant, or a fingerprint. What was sent may be a token. */
  meant: { username: string } | { usernameHash: string }
}

/** Compared with where there is no secret, so that the answer takes as long as for a wrong one. Nobody has it. */
const NOBODYS_HASH = hashSecret(randomUUID())
const FINGERPRINT_LENGTH = 12

/**
 * Finds who a CONNECT comes from. A verified certificate speaks for the credential of its name, whatever access that
 * has; otherwise a `password` credential is proved by its secret, a `token` credential by the token in the username's
 * place, and a `certificate` credential by nothing else. Every claim takes the same look-ups and comparisons.
 */
export async function identify(
  credentials: CredentialsRegistry,
  claim: Claim,
  nowMs: number,
): Promise<Findings> {
  const name = claim.username === '' ? (claim.certificateName ?? '') : claim.username
  const usernameHash = hashSecret(claim.username)
  const [named, withToken] =
    name === ''
      ? []
      : await Promise.all([credentials.findCredential(name), credentials.findToken(usernameHash)])
  const password = proveSecret(named, hashSecret(claim.password), nowMs)
  const token = proveSecret(withToken, usernameHash, nowMs)
  const known = named ?? withToken
  return {
    identity:
      proveCertificate(named, claim.certificateName) ??
      (password?.credential.access === 'password' ? password : undefined) ??
      (token?.credential.access === 'token' ? token : undefined),
    meant: known ? { username: known.username } : { usernameHash: usernameHash.slice(0, FINGERPRINT_LENGTH) },
  }
}

function proveCertificate(
  credential: Credential | undefined,
  certificateName: string | undefined,
): Identity | undefined {
  const isTheirs = credential !== undefined && credential.username === certificateName
  return isTheirs ? { credential, untilMs: undefined } : undefined
}

/** Both secrets are compared whatever comes out, in constant time. */
function proveSecret(credential: Credential | undefined, hash: string, nowMs: number): Identity | undefined {
  const { secretHash = null, previous = null } = credential ?? {}
  const isCurrent = equalHashes(hash, secretHash ?? NOBODYS_HASH)
  const isPrevious = equalHashes(hash, previous?.secretHash ?? NOBODYS_HASH)
  if (!credential) return undefined
  if (isCurrent) return { credential, untilMs: undefined }
  return isPrevious && previous && nowMs < previous.untilMs
    ? { credential, untilMs: previous.untilMs }
    : undefined
}
