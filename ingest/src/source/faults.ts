import { AppError, messageOf } from '@pulso/model'

/** What a broker's CONNACK refuses with (MQTT 3.1.1, 3.2.2.3). */
const CONNACK_REFUSALS: Readonly<Record<number, { code: string; message: string }>> = {
  1: { code: 'source-protocol', message: 'The broker does not speak MQTT 3.1.1' },
  2: { code: 'source-client-id', message: 'The broker does not accept the client id' },
  3: { code: 'source-unavailable', message: 'The broker says that it is not available' },
  4: { code: 'source-credentials', message: 'The broker does not accept the user name and password' },
  5: { code: 'source-not-authorised', message: 'The broker does not let this user in' },
}

export function toConnackFault(returnCode: number): AppError {
  const known = CONNACK_REFUSALS[returnCode]
  return fault(
    known?.code ?? 'source-refused',
    known?.message ?? `The broker refused with code ${returnCode}`,
  )
}

/** The system's words for a connection that did not come about or broke, in ours. */
const SOCKET_FAULTS: Readonly<Record<string, string>> = {
  ENOTFOUND: 'There is no host of that name',
  EAI_AGAIN: 'The host name could not be looked up',
  ECONNREFUSED: 'Nothing listens there',
  ECONNRESET: 'The broker closed the connection',
  EPIPE: 'The broker closed the connection',
  ETIMEDOUT: 'The broker did not answer',
  EHOSTUNREACH: 'There is no way to the host',
  ENETUNREACH: 'There is no way to the host',
  ERR_TLS_CERT_ALTNAME_INVALID: 'The certificate is for another host name',
  CERT_HAS_EXPIRED: 'The broker’s certificate has expired',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'The broker’s certificate is signed by itself: name it as "ca"',
  SELF_SIGNED_CERT_IN_CHAIN: 'The broker’s certificate is signed by an unknown authority: name it as "ca"',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    'The broker’s certificate is signed by an unknown authority: name it as "ca"',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    'The broker’s certificate is signed by an unknown authority: name it as "ca"',
}

export function toSocketFault(error: unknown): AppError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const known = SOCKET_FAULTS[code]
  return fault('source-unreachable', known ? `${known} (${code})` : messageOf(error), error)
}

/** Everything that ends a connection is worth another attempt. */
export function fault(code: string, message: string, cause?: unknown): AppError {
  return new AppError(code, message, { retryable: true, status: 503, ...(cause !== undefined && { cause }) })
}
