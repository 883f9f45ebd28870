/** Trusting a client, changing what it may do, and ending the trust. Incus does it; this decides whether to ask for it. */
import { X509Certificate } from 'node:crypto'
import type { BodyOf } from '@malleus/shared/api/endpoint.ts'
import type { addTrustEntry, updateTrustEntry } from '@malleus/shared/api/trust.ts'
import { canRemoveTrust, canRestrictTrust } from '@malleus/shared/domain/possibilities.ts'
import type { Possibility } from '@malleus/shared/domain/possibilities.ts'
import { z } from 'zod'
import type { Answer } from '../gateway/request.ts'
import type { Asker, TrustPorts } from './read-trust.ts'
import { readEntries, readTrustEntry } from './read-trust.ts'
import { CannotChangeTrust, ChangedMeanwhile, NoSuchEntry } from './trust-error.ts'

export type NewEntry = BodyOf<typeof addTrustEntry>
export type EntryChange = BodyOf<typeof updateTrustEntry>

/** @throws CannotChangeTrust when it is no certificate that Incus would ever accept, and what the gateway throws */
export async function addEntry(ports: TrustPorts, asker: Asker, wanted: NewEntry): Promise<Answer<unknown>> {
  const certificate = readCertificate(wanted.certificate)
  if (certificate.validToDate.getTime() <= ports.clock.now()) {
    throw new CannotChangeTrust('This certificate has expired, so Incus would refuse its client.')
  }
  const { name, type, restricted, projects } = wanted
  return write(ports, asker, {
    method: 'POST',
    path: '/certificates',
    // Incus takes the bare DER here, in base64 (incus `cmd/incusd/certificates.go`, `certificatesPost`).
    body: {
      name,
      type,
      restricted,
      projects: restricted ? projects : [],
      certificate: certificate.raw.toString('base64'),
    },
  })
}

/**
 * @throws NoSuchEntry, ChangedMeanwhile when it is not as the person saw it, CannotChangeTrust with the reason, and what
 *   the gateway throws
 */
export async function updateEntry(
  ports: TrustPorts,
  asker: Asker,
  fingerprint: string,
  { etag, name, restricted, projects }: EntryChange,
): Promise<Answer<unknown>> {
  const { entry, raw, etag: now } = await readTrustEntry(ports, asker, fingerprint)
  if (now !== etag) throw new ChangedMeanwhile()
  if (restricted !== entry.restricted || projects.join() !== entry.projects.join()) {
    refuseUnless(canRestrictTrust(entry))
  }
  const { type, description, certificate } = raw
  return write(ports, asker, {
    method: 'PUT',
    path: `/certificates/${fingerprint}`,
    // What is not said in a PUT is emptied.
    body: { name, type, restricted, projects: restricted ? projects : [], description: description ?? '', certificate },
    ifMatch: etag,
  })
}

/** @throws NoSuchEntry, CannotChangeTrust with the reason, and what the gateway throws */
export async function removeEntry(ports: TrustPorts, asker: Asker, fingerprint: string): Promise<Answer<unknown>> {
  const { entries } = await readEntries(ports, asker)
  const entry = entries.find((one) => one.fingerprint === fingerprint)
  if (entry === undefined) throw new NoSuchEntry()
  refuseUnless(canRemoveTrust(entry, entries))
  return write(ports, asker, { method: 'DELETE', path: `/certificates/${fingerprint}` })
}

function refuseUnless(possibility: Possibility): void {
  if (possibility.kind === 'cannot') throw new CannotChangeTrust(possibility.because)
}

async function write(
  { gateway, told }: TrustPorts,
  { scope, target, signal }: Asker,
  request: {
    readonly method: 'POST' | 'PUT' | 'DELETE'
    readonly path: string
    readonly body?: unknown
    readonly ifMatch?: string
  },
): Promise<Answer<unknown>> {
  try {
    return await gateway.write({ ...request, scope, target, parse: z.unknown(), ...(signal && { signal }) })
  } finally {
    told.changed()
  }
}

/** The certificate that was pasted, and nothing beside it: a key has no business here. */
export function readCertificate(text: string): X509Certificate {
  if (/PRIVATE KEY/.test(text)) {
    throw new CannotChangeTrust(
      'There is a private key in it. Paste the certificate alone; the key stays with its client.',
    )
  }
  if ((text.match(/-----BEGIN CERTIFICATE-----/g) ?? []).length !== 1) {
    throw new CannotChangeTrust('Paste one certificate in PEM form, from its BEGIN line to its END line.')
  }
  try {
    return new X509Certificate(text)
  } catch {
    throw new CannotChangeTrust('It cannot be read as a certificate.')
  }
}
