import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { AppError, messageOf } from '@pulso/model'

/** PEM files. */
export interface TlsFiles {
  /** The broker's certificate, with those between it and its authority. */
  certFile: string
  /** Its private key. */
  keyFile: string
  /** The authorities that client certificates are verified with; `null`: none are asked for. */
  caFile: string | null
}

export interface TlsMaterial {
  cert: Buffer
  key: Buffer
  ca?: Buffer
}

/**
 * Reads the files and tries whether they fit.
 * @throws AppError `invalid-tls-files` that names the file
 */
export async function readTlsFiles({ certFile, keyFile, caFile }: TlsFiles): Promise<TlsMaterial> {
  const cert = await read('certificate', certFile)
  const certificate = parse('certificate', certFile, () => new X509Certificate(cert))
  const key = await read('private key', keyFile)
  const privateKey: KeyObject = parse('private key', keyFile, () => createPrivateKey(key))
  if (!certificate.checkPrivateKey(privateKey)) {
    throw invalid(`The TLS private key ${keyFile} does not belong to the certificate ${certFile}`)
  }
  if (caFile === null) return { cert, key }
  const ca = await read('authority', caFile)
  // OpenSSL passes silently over what is no certificate, and would then trust nobody.
  parse('authority', caFile, () => new X509Certificate(ca))
  return { cert, key, ca }
}

async function read(what: string, file: string): Promise<Buffer> {
  return readFile(file).catch((cause: unknown) => {
    throw invalid(`The TLS ${what} ${file} cannot be read: ${messageOf(cause)}`, cause)
  })
}

function parse<T>(what: string, file: string, attempt: () => T): T {
  try {
    return attempt()
  } catch (cause) {
    throw invalid(`The TLS ${what} ${file} is none in PEM: ${messageOf(cause)}`, cause)
  }
}

function invalid(message: string, cause?: unknown): AppError {
  return new AppError('invalid-tls-files', message, { cause })
}
