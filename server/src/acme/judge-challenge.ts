// What an answer at the place of a challenge tells: pure. A server of Incus answers a challenge that nobody waits for with
// an error in its own envelope, because no program listens for it, and names the domain that it was configured with
// (incus `cmd/incusd/acme.go`, measured on 6.0.4): that is how it is known for one, and for one of this cluster.

import type { AcmeCheck } from '@malleus/shared/api/acme.ts'
import { IncusReply } from '@malleus/shared/incus/reply.ts'
import type { ChallengeAnswer } from './challenge-probe.ts'

type Judgement = Pick<AcmeCheck, 'verdict' | 'because'>

/**
 * Whether an authority would find the servers at this domain.
 *
 * @param configured the domains that this cluster has now, before any change
 */
export function judgeChallenge(
  domain: string,
  answers: readonly ChallengeAnswer[],
  configured: readonly string[],
): Judgement {
  const judged = answers.map((answer) => judge(domain, answer, configured))
  const worst = judged.find(({ verdict }) => verdict === 'cannot') ?? judged.find(({ verdict }) => verdict !== 'can')
  return worst ?? judged[0] ?? { verdict: 'cannot', because: `${domain} has no address.` }
}

function judge(domain: string, answer: ChallengeAnswer, configured: readonly string[]): Judgement {
  switch (answer.kind) {
    case 'no-address':
      return { verdict: 'cannot', because: `${domain} has no address (${answer.why}).` }
    case 'not-allowed':
      return {
        verdict: 'can-but',
        because: `${domain} leads to ${answer.address}, which this console does not contact ("probeNetworks"). Whether a server answers there is not known.`,
      }
    case 'no-answer':
      return {
        verdict: 'cannot',
        because: `Nobody answers at port 80 of ${answer.address} (${answer.why}), where the authority looks. Have the balancer pass /.well-known/acme-challenge/ on to port 8443 of any server.`,
      }
    case 'answer':
      return judgeAnswer(answer, configured)
  }
}

function judgeAnswer(
  { address, status, location, body }: Extract<ChallengeAnswer, { kind: 'answer' }>,
  configured: readonly string[],
): Judgement {
  if (status >= 300 && status < 400) {
    return {
      verdict: 'can-but',
      because: `Port 80 of ${address} sends on to ${location ?? 'another place'}. The authority follows; this console does not, so whether a server answers there is not known.`,
    }
  }
  const named = domainNamedIn(body)
  if (named === null) {
    return {
      verdict: 'cannot',
      because: `Something else than Incus answers at port 80 of ${address} (status ${status}). Have it pass /.well-known/acme-challenge/ on to port 8443 of any server.`,
    }
  }
  if (named === '' && configured.length === 0) {
    return {
      verdict: 'can-but',
      because: `An Incus server answers at port 80 of ${address}. That it is one of this cluster shows only when the cluster has a domain.`,
    }
  }
  if (configured.includes(named)) {
    return { verdict: 'can', because: `A server of this cluster answers at port 80 of ${address}.` }
  }
  return {
    verdict: 'cannot',
    because: `The Incus server that answers at port 80 of ${address} belongs to another cluster: it has ${named === '' ? 'no domain' : `the domain ${named}`}.`,
  }
}

/** The domain that Incus was configured with; empty when it has none, null when this is not Incus. */
function domainNamedIn(body: string): string | null {
  let json: unknown
  try {
    json = JSON.parse(body)
  } catch {
    return null
  }
  const reply = IncusReply.safeParse(json)
  if (!reply.success || reply.data.type !== 'error') return null
  return /^Get "http:\/\/([^/"]*)\/\.well-known\/acme-challenge\//.exec(reply.data.error)?.[1] ?? null
}
