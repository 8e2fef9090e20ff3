import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { promisify } from 'node:util'
import { findProgram } from '../../../test/support/programs.ts'

const run = promisify(execFile)
const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']

export interface CertificateFiles {
  certFile: string
  keyFile: string
}

export interface Authority {
  /** Its own certificate. */
  caFile: string
  /** A certificate of its for this common name. */
  issue(name: string, days?: number): Promise<CertificateFiles>
}

/** An authority of its own for one test, in a folder that goes with it. */
export async function createAuthority(context: TestContext): Promise<Authority> {
  const folder = await mkdtemp(join(tmpdir(), 'pulso-authority-'))
  context.after(() => rm(folder, { recursive: true, force: true }))
  const path = (name: string): string => join(folder, name)
  const openssl = (...args: string[]): Promise<unknown> =>
    run(findProgram('openssl') ?? 'openssl', args, { cwd: folder })
  await openssl(
    ...['req', '-x509', ...NEW_KEY, '-days', '1', '-subj', '/CN=The city'],
    ...['-keyout', 'ca.key', '-out', 'ca.crt'],
  )
  await writeFile(path('names.ext'), 'subjectAltName = DNS:localhost, IP:127.0.0.1\n')
  let issued = 0

  return {
    caFile: path('ca.crt'),
    async issue(name, days = 1) {
      const file = `${++issued}`
      await openssl(
        ...['req', ...NEW_KEY, '-subj', `/CN=${name}`, '-keyout', `${file}.key`, '-out', `${file}.csr`],
      )
      await openssl(
        ...['x509', '-req', '-in', `${file}.csr`, '-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial'],
        ...['-days', `${days}`, '-extfile', 'names.ext', '-out', `${file}.crt`],
      )
      return { certFile: path(`${file}.crt`), keyFile: path(`${file}.key`) }
    },
  }
}

/** The files' contents, as TLS clients take them. */
export async function readPair({
  certFile,
  keyFile,
}: CertificateFiles): Promise<{ cert: Buffer; key: Buffer }> {
  return { cert: await readFile(certFile), key: await readFile(keyFile) }
}
