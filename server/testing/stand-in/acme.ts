import { createCertificateAuthority } from '../certificate-authority.ts'
import type { Call } from './call.ts'
import { IncusError } from './replies.ts'
import type { Reply } from './replies.ts'

/** What becomes of orders for a certificate. */
export interface AcmeAuthority {
  /** How long an order takes. Default 0. */
  takesMs: number
  /** Why it fails, in the words of `lego`; null: the certificate is issued. */
  fails: string | null
  /** How long what it issues is valid, from now. Default 90 days. */
  validMs: number
}

/** What Incus says when the program that orders is not there. */
export const legoIsMissing = 'Failed to run lego command: exec: "lego": executable file not found in $PATH'

const authority = createCertificateAuthority('Stand-in ACME authority')

const triggers = ['agree_tos', 'ca_url', 'challenge', 'domain', 'email', 'provider', 'provider.environment']
const triggeringKeys = [...triggers, 'provider.resolvers', 'http.port'].map((name) => `acme.${name}`)

/** Whether a change of settings has Incus order a certificate. */
export function acmeChanged(
  before: Readonly<Record<string, string>>,
  after: Readonly<Record<string, string>>,
): boolean {
  return triggeringKeys.some((key) => (before[key] ?? '') !== (after[key] ?? ''))
}

/** Orders a certificate for the domain and has all members present it; null, or why it failed. */
export async function orderCertificate(call: Call): Promise<string | null> {
  const { state, operations } = call
  const { 'acme.domain': domain = '', 'acme.email': email = '', 'acme.agree_tos': agreed } = state.config
  const { leader } = state.leadership
  if (domain === '' || email === '' || agreed !== 'true' || leader === undefined) return null
  let failure: string | null = null
  const operation = operations.start({
    class: 'task',
    description: 'Renewing server certificate',
    location: leader,
    run: async (work) => {
      const { takesMs, fails, validMs } = state.acme
      await work.step(takesMs)
      failure = fails
      if (fails !== null) throw new Error(fails)
      const notAfter = new Date(state.clock.now() + validMs)
      state.certificate = authority.issue({ commonName: domain, names: [domain], usages: ['server'], notAfter })
      call.presentEverywhere()
      for (const member of state.members) {
        call.events.lifecycle({
          action: 'cluster-certificate-updated',
          source: '/1.0/certificate',
          location: member,
        })
      }
    },
  })
  await operation.ended()
  return failure
}

/**
 * A challenge that nobody waits for: any member asks the leader, who asks the program that orders, and that does not run
 * (incus `cmd/incusd/acme.go`, measured on 6.0.4).
 */
export function answerChallenge(call: Call): Reply {
  const domain = call.state.config['acme.domain'] ?? ''
  const url = `http://${domain}${call.path}`
  const why = domain === '' ? 'http: no Host in request URL' : 'dial tcp 127.0.0.1:80: connect: connection refused'
  throw new IncusError(500, `Get "${url}": ${why}`)
}
