import type { AcmeCheck, AcmeSettings } from '@malleus/shared/api/acme.ts'
import { isRedacted } from '@malleus/shared/domain/redacted.ts'
import type { ChallengeAnswer } from './challenge-probe.ts'
import { judgeChallenge } from './judge-challenge.ts'

export interface CheckedAgainst {
  /** The domains that the cluster has now. */
  readonly configured: readonly string[]
  readonly can: { readonly account: boolean; readonly dns: boolean; readonly severalDomains: boolean }
  readonly version: string | null
  readonly servers: readonly { readonly name: string; readonly reported: string | null; readonly answers: boolean }[]
  readonly leader: string | null
  /** Whether the console follows a new certificate by itself, or an authority vouches for it. */
  readonly follows: boolean
  /** What came back from where an authority would look, by domain; empty with DNS-01. */
  readonly answers: ReadonlyMap<string, readonly ChallengeAnswer[]>
}

/** Whether an order can succeed, line by line, as far as it can be told before it is placed. */
export function checkSettings(settings: AcmeSettings, against: CheckedAgainst): readonly AcmeCheck[] {
  return [
    ...agreement(settings),
    ...version(settings, against),
    servers(against),
    ...(settings.challenge === 'HTTP-01' ? ways(settings, against) : zone(settings)),
    program(against),
    afterwards(against),
  ]
}

function agreement({ agreed }: AcmeSettings): readonly AcmeCheck[] {
  if (agreed) return []
  return [cannot('Terms', 'Incus orders nothing before the terms of the authority are agreed to.')]
}

function version(settings: AcmeSettings, { can, version: name }: CheckedAgainst): readonly AcmeCheck[] {
  const incus = name === null ? 'This version of Incus' : `Incus ${name}`
  return [
    ...(settings.domains.length > 1 && !can.severalDomains
      ? [cannot('Domains', `${incus} orders for one domain only.`)]
      : []),
    ...(settings.domains.some((domain) => domain.startsWith('*.')) && settings.challenge === 'HTTP-01'
      ? [cannot('Domains', 'A name with a star can only be proved by DNS-01.')]
      : []),
    ...(settings.account !== null && !can.account ? [cannot('Account', `${incus} has no accounts yet.`)] : []),
    ...(settings.challenge === 'DNS-01' && !can.dns ? [cannot('Challenge', `${incus} has no DNS-01 yet.`)] : []),
  ]
}

/** Each order comes with a new key, which every server has to get (incus `cmd/incusd/api_cluster.go`). */
function servers({ servers: all }: CheckedAgainst): AcmeCheck {
  const away = all.filter(({ reported, answers }) => !answers || (reported !== null && reported !== 'Online'))
  const [first] = away
  if (first === undefined)
    return {
      what: 'Servers',
      verdict: 'can',
      because: 'Every server is there to take the certificate.',
      fromHere: false,
    }
  const names = away.map(({ name }) => name).join(', ')
  return cannot(
    'Servers',
    `${names} ${away.length === 1 ? 'is' : 'are'} not there. Incus gives a new certificate to every server or to none, and the order would be for nothing.`,
  )
}

function ways({ domains }: AcmeSettings, { answers, configured }: CheckedAgainst): readonly AcmeCheck[] {
  return domains.map((domain) => ({
    what: `Way to ${domain}`,
    ...judgeChallenge(domain, answers.get(domain) ?? [], configured),
    fromHere: true,
  }))
}

function zone({ provider, environment }: AcmeSettings): readonly AcmeCheck[] {
  if (provider === '') return [cannot('Zone', 'DNS-01 needs the name of the provider that serves the zone.')]
  const lines = typeof environment === 'string' ? environment.split('\n').filter((line) => line.trim() !== '') : []
  const wrong = lines.findIndex((line) => !/^[A-Z][A-Z0-9_]*=./.test(line))
  if (wrong >= 0) return [cannot('Zone', `Line ${wrong + 1} of what ${provider} needs is not NAME=value.`)]
  if (lines.length === 0 && !isRedacted(environment)) {
    return [canBut('Zone', `Nothing is said of how lego signs in at ${provider}; most providers need that.`)]
  }
  return [canBut('Zone', `Whether ${provider} lets lego write into the zone shows only with the order.`)]
}

function program({ leader }: CheckedAgainst): AcmeCheck {
  const who = leader ?? 'the database leader'
  return canBut(
    'Program',
    `Incus orders with the program lego on ${who}. Whether it is installed shows only with the order.`,
  )
}

function afterwards({ follows }: CheckedAgainst): AcmeCheck {
  const others = 'Command-line clients that trusted the old fingerprint ask again, or fail.'
  if (follows) return canBut('Afterwards', `This console follows the new certificate by itself. ${others}`)
  return cannot(
    'Afterwards',
    `This console is told not to follow a new certificate (trust.follow), so it would lose the cluster. ${others}`,
  )
}

function cannot(what: string, because: string): AcmeCheck {
  return { what, verdict: 'cannot', because, fromHere: false }
}

function canBut(what: string, because: string): AcmeCheck {
  return { what, verdict: 'can-but', because, fromHere: false }
}
