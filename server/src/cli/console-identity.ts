import { generateKeyPairSync } from 'node:crypto'
import { type FileHandle, open, unlink } from 'node:fs/promises'
import type { Random } from '../lib/random.ts'
import { writeCertificate } from '../lib/x509-writer.ts'
import { CliError, exitCodes } from './cli-error.ts'

export interface NewIdentity {
  readonly certificate: string
  readonly key: string
}

const TEN_YEARS_MS = 10 * 365 * 24 * 3_600_000
const HOUR_MS = 3_600_000

/** A client certificate that signs itself, as `incus` makes its own: EC P-384, ten years. */
export function makeIdentity(name: string, now: number, random: Random): NewIdentity {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' })
  const certificate = writeCertificate({
    subject: name,
    issuer: name,
    subjectKey: privateKey,
    issuerKey: privateKey,
    serial: random.bytes(16),
    // A server whose clock is behind must not take it for one of the future.
    notBefore: new Date(now - HOUR_MS),
    notAfter: new Date(now + TEN_YEARS_MS),
    usages: ['client'],
  })
  return { certificate, key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() }
}

export interface IdentityFiles {
  readonly certificate: string
  readonly key: string
  /** Takes both away again. */
  discard(): Promise<void>
}

/**
 * Writes both files, readable by their owner only. Files that are there already are left as they are.
 *
 * @throws CliError when one cannot be written; then there is none of the two.
 */
export async function writeIdentity(identity: NewIdentity, base: string): Promise<IdentityFiles> {
  const files = { certificate: `${base}.crt`, key: `${base}.key` }
  const written: string[] = []
  const discard = async (): Promise<void> => {
    for (const file of written.splice(0)) await unlink(file)
  }
  try {
    await writePrivately(files.key, identity.key, written)
    await writePrivately(files.certificate, identity.certificate, written)
  } catch (error) {
    await discard()
    throw error
  }
  return { ...files, discard }
}

async function writePrivately(file: string, text: string, written: string[]): Promise<void> {
  let handle: FileHandle
  try {
    handle = await open(file, 'wx', 0o600)
  } catch (error) {
    const exists = error instanceof Error && 'code' in error && error.code === 'EEXIST'
    const why = exists ? 'is there already; move it away, or choose another --name' : 'cannot be written'
    throw new CliError(exitCodes.cannotWrite, `${file} ${why}. Nothing was sent.`, error)
  }
  written.push(file)
  try {
    await handle.writeFile(text)
    await handle.sync()
  } finally {
    await handle.close()
  }
}
