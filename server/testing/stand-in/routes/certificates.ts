import { randomBytes, X509Certificate } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import { z } from 'zod'
import { execute, recursionOf, requestorOf } from '../call.ts'
import type { Call } from '../call.ts'
import type { Member } from '../member.ts'
import { canTalk, unableToConnect } from '../reach.ts'
import { created, done, IncusError, sync, syncWithETag } from '../replies.ts'
import type { Reply } from '../replies.ts'
import { parseBody } from '../request-body.ts'
import type { Route } from '../router.ts'
import { secretOfTrustToken } from '../trust-store.ts'
import type { TrustEntry } from '../trust-store.ts'

/** Who is trusted, and the certificate all members present. */
export const certificateRoutes: readonly Route[] = [
  { method: 'GET', path: '/1.0/certificates', need: 'list', answer: listCertificates },
  { method: 'POST', path: '/1.0/certificates', need: 'public', answer: addCertificate },
  { method: 'GET', path: '/1.0/certificates/:fingerprint', need: 'view', answer: (call) => syncWithETag(found(call)) },
  { method: 'PUT', path: '/1.0/certificates/:fingerprint', need: 'edit', answer: changeCertificate },
  { method: 'DELETE', path: '/1.0/certificates/:fingerprint', need: 'edit', answer: removeCertificate },
  { method: 'PUT', path: '/1.0/cluster/certificate', need: 'edit', answer: replaceClusterCertificate },
]

function listCertificates(call: Call): Reply {
  const entries = call.state.trust.all()
  if (recursionOf(call) > 0) return sync(entries.map(render))
  return sync(entries.map(({ fingerprint }) => `/1.0/certificates/${fingerprint}`))
}

const NewCertificate = z.object({
  type: z.enum(['client', 'metrics', 'server']).default('client'),
  trust_token: z.string().default(''),
  token: z.boolean().default(false),
  certificate: z.string().default(''),
  name: z.string().default(''),
  restricted: z.boolean().default(false),
  projects: z.array(z.string()).nullish(),
})
type NewCertificate = z.infer<typeof NewCertificate>

function addCertificate(call: Call): Reply {
  const wanted = parseBody(NewCertificate, call.body)
  if (wanted.trust_token !== '') return redeemToken(call, wanted.trust_token)
  if (call.caller.kind === 'nobody') {
    throw new IncusError(403, 'not authorized')
  }
  return wanted.token ? offerToken(call, wanted) : trust(call, wanted)
}

/** A new client shows its certificate and the secret it was given; name and restrictions come from the token. */
function redeemToken(call: Call, token: string): Reply {
  const { peerCertificate, peerFingerprint, state, operations } = call
  const known = peerFingerprint === null ? undefined : state.trust.find(peerFingerprint)
  if (known !== undefined) throw new IncusError(400, 'Client is already trusted')
  const secret = secretOfTrustToken(token)
  if (secret === undefined) throw new IncusError(403, 'not authorized')
  if (peerCertificate === null) throw new IncusError(400, 'No client certificate provided')
  const offered = operations
    .all()
    .find(
      (operation) =>
        operation.class === 'token' &&
        operation.status === 'Running' &&
        operation.metadata?.['secret'] === secret &&
        canTalk(call.via, operation.location),
    )
  const request = Offered.safeParse(offered?.metadata?.['request'])
  if (offered === undefined || !request.success) {
    throw new IncusError(403, 'No matching certificate add operation found')
  }
  operations.finish(offered, 'Cancelled')
  execute(call, 'certificate.redeem', call.via)
  return announceNew(call, state.trust.add({ ...request.data, certificate: peerCertificate }))
}

const Offered = z.object({
  name: z.string(),
  type: z.enum(['client', 'metrics', 'server']),
  restricted: z.boolean(),
  projects: z.array(z.string()),
})

function offerToken(call: Call, wanted: NewCertificate): Reply {
  execute(call, 'certificate.offer', call.via)
  const operation = call.operations.start({
    class: 'token',
    description: 'Executing operation',
    location: call.via,
    metadata: tokenMetadata(call.state.fingerprint, call.via, wanted),
  })
  return { kind: 'async', operation: { url: operation.url, metadata: operation.render() } }
}

/**
 * What an operation of class `token` carries. The secret is there for everybody who may read operations; the addresses are
 * those of the member that issued it, and of no other.
 */
export function tokenMetadata(
  fingerprint: string,
  issuer: Member,
  wanted: { name: string; type?: string; restricted: boolean; projects?: readonly string[] | null | undefined },
): Record<string, unknown> & { secret: string } {
  return {
    addresses: [issuer.address],
    fingerprint,
    secret: randomBytes(32).toString('hex'),
    request: {
      name: wanted.name,
      type: wanted.type ?? 'client',
      restricted: wanted.restricted,
      projects: wanted.projects ?? [],
      certificate: '',
      description: '',
      trust_token: '',
      token: true,
    },
  }
}

function trust(call: Call, wanted: NewCertificate): Reply {
  const certificate = wanted.certificate === '' ? (call.peerCertificate ?? '') : pemOf(wanted.certificate)
  const known = certificate === '' ? undefined : parseCertificate(certificate)
  if (known === undefined) throw new IncusError(400, 'No client certificate provided')
  const fingerprint = known.fingerprint256.replaceAll(':', '').toLowerCase()
  if (call.state.trust.find(fingerprint) !== undefined) throw new IncusError(409, 'Certificate already in trust store')
  execute(call, 'certificate.add', call.via)
  const { name, type, restricted, projects } = wanted
  return announceNew(call, call.state.trust.add({ name, type, restricted, projects: projects ?? [], certificate }))
}

function announceNew(call: Call, entry: TrustEntry): Reply {
  const location = `/1.0/certificates/${entry.fingerprint}`
  announce(call, 'certificate-created', location)
  return created(location)
}

const ChangedCertificate = z.object({
  name: z.string().default(''),
  type: z.string().default(''),
  restricted: z.boolean().default(false),
  projects: z.array(z.string()).nullish(),
  description: z.string().default(''),
})

/** What is not said is emptied; the type stays (incus `cmd/incusd/certificates.go`, `doCertificateUpdate`). */
function changeCertificate(call: Call): Reply {
  const before = found(call)
  const reply = syncWithETag(before)
  if (call.ifMatch !== undefined && reply.kind === 'sync' && call.ifMatch !== `"${reply.etag}"`) {
    throw new IncusError(412, `ETag doesn't match: "${reply.etag}" vs ${call.ifMatch}`)
  }
  const { name, type, restricted, projects, description } = parseBody(ChangedCertificate, call.body)
  if (type !== before['type']) throw new IncusError(400, 'Certificate type cannot be changed')
  const entry = call.state.trust.find(before.fingerprint)
  if (entry === undefined) throw new IncusError(404, 'Certificate not found')
  execute(call, 'certificate.update', call.via)
  Object.assign(entry, { name, restricted, projects: projects ?? [], description })
  announce(call, 'certificate-updated', `/1.0/certificates/${entry.fingerprint}`)
  return done
}

function removeCertificate(call: Call): Reply {
  const { fingerprint } = found(call)
  execute(call, 'certificate.remove', call.via)
  call.state.trust.remove(fingerprint)
  announce(call, 'certificate-deleted', `/1.0/certificates/${fingerprint}`)
  return done
}

const ClusterCertificate = z.object({ cluster_certificate: z.string(), cluster_certificate_key: z.string() })

/**
 * Goes to every member, as measured: one that cannot be reached stops it and the others are put back, one that is stopped
 * makes it wait without an answer. 7.0 leaves one behind that it believes offline, if the key stays the same, and else
 * ends the connection without an answer. Of the certificate only the key is checked: 6.0 takes one that its own members
 * refuse, and the cluster is dark from then on.
 */
async function replaceClusterCertificate(call: Call): Promise<Reply> {
  const { state } = call
  const wanted = parseBody(ClusterCertificate, call.body)
  if (parseCertificate(wanted.cluster_certificate) === undefined) {
    throw new IncusError(400, 'Certificate must be base64 encoded PEM certificate: %!w(<nil>)')
  }
  try {
    createSecureContext({ cert: wanted.cluster_certificate, key: wanted.cluster_certificate_key })
  } catch {
    throw new IncusError(500, 'tls: private key does not match public key')
  }
  if (state.dark !== null) throw new IncusError(500, state.dark)
  const before = state.certificate
  const fresh = { certificate: wanted.cluster_certificate, key: wanted.cluster_certificate_key }
  const behind: Member[] = []
  for (const member of state.members) {
    if (state.settings.seven && member.process === 'dead' && state.isOffline(member, call.via)) {
      if (!haveSameKey(before.certificate, fresh.certificate)) return { kind: 'hang-up' }
      behind.push(member)
      continue
    }
    if (member.process === 'dead') throw new IncusError(500, unableToConnect(member))
    while (!canTalk(call.via, member)) await member.changeOr(undefined, call.left)
  }
  execute(call, 'certificate.replace', call.via)
  state.certificate = fresh
  for (const member of state.members) state.leftBehind.delete(member)
  for (const member of behind) state.leftBehind.set(member, before)
  if (!state.settings.seven) state.dark = whyDark(new X509Certificate(fresh.certificate), state.clock.now())
  call.presentEverywhere()
  for (const member of state.members) {
    call.events.lifecycle({
      action: 'cluster-certificate-updated',
      source: '/1.0/cluster/certificate',
      location: member,
    })
  }
  return done
}

/**
 * Why members refuse each other: they verify what the cluster presents as a root of its own, under its first DNS name
 * (incus `shared/tls/tls.go`). Null when they do not.
 */
function whyDark(certificate: X509Certificate, now: number): string | null {
  const because = 'tls: failed to verify certificate: x509:'
  if (certificate.validToDate.getTime() <= now) return `${because} certificate has expired or is not yet valid`
  const usages: readonly string[] | undefined = certificate.keyUsage
  if (usages !== undefined && !usages.includes('1.3.6.1.5.5.7.3.1')) {
    return `${because} certificate specifies an incompatible key usage`
  }
  return null
}

function haveSameKey(a: string, b: string): boolean {
  const [one, other] = [a, b].map((pem) => new X509Certificate(pem).publicKey.export({ type: 'spki', format: 'der' }))
  return one !== undefined && other !== undefined && one.equals(other)
}

function found(call: Call): Record<string, unknown> & { fingerprint: string } {
  const prefix = call.params['fingerprint'] ?? ''
  const entry = call.state.trust.all().find(({ fingerprint }) => fingerprint.startsWith(prefix))
  if (entry === undefined) throw new IncusError(404, 'Certificate not found')
  return render(entry)
}

function render(entry: TrustEntry): Record<string, unknown> & { fingerprint: string } {
  return {
    name: entry.name,
    type: entry.type,
    restricted: entry.restricted,
    projects: entry.projects,
    certificate: entry.certificate,
    description: entry.description,
    fingerprint: entry.fingerprint,
  }
}

function announce(call: Call, action: string, source: string): void {
  const requestor = requestorOf(call)
  call.events.lifecycle({ action, source, location: call.via, ...(requestor === undefined ? {} : { requestor }) })
}

/** Incus takes the base64 of the DER without its PEM lines too. */
function pemOf(certificate: string): string {
  if (certificate.includes('-----BEGIN')) return certificate
  return `-----BEGIN CERTIFICATE-----\n${certificate}\n-----END CERTIFICATE-----\n`
}

function parseCertificate(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem)
  } catch {
    return undefined
  }
}
