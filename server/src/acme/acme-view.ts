/** What is known of ACME in a cluster, in words. Nothing here asks anybody. */
import { X509Certificate } from 'node:crypto'
import type { AcmeOrder, AcmeSettings, AcmeView } from '@malleus/shared/api/acme.ts'
import type { Freshness } from '@malleus/shared/api/freshness.ts'
import type { Operation } from '@malleus/shared/api/operations.ts'
import type { MaskedValue } from '@malleus/shared/domain/redacted.ts'
import { acmeKeys, settingsFrom } from './acme-settings.ts'
import { orderFailure } from './lego-words.ts'
import { renewalOf } from './renewal.ts'

export interface AcmeFacts {
  readonly freshness: Freshness
  /** The settings of the servers, masked; or why they are not known. */
  readonly config: Readonly<Record<string, MaskedValue>> | 'hidden' | 'unknown'
  readonly extensions: readonly string[]
  /** What the cluster presents, PEM; null while it is not known. */
  readonly certificate: string | null
  /** Incus's own work on the certificate, the newest first. */
  readonly renewals: readonly Operation[]
  readonly warnings: readonly string[]
  /** Values that must not be in what is shown. */
  readonly secrets: readonly string[]
  readonly order: AcmeOrder | null
  readonly leader: string | null
  readonly now: number
}

/** What servers do by themselves for the certificate has this description (incus `operationtype`). */
export const renewalDescription = 'Renewing server certificate'

/** A renewal that is due is looked for hourly or daily. */
const lateAfterMs = 2 * 86_400_000

export function acmeView(facts: AcmeFacts): AcmeView {
  const config = typeof facts.config === 'string' ? {} : facts.config
  const settings = settingsFrom(config)
  const certificate = facts.certificate === null ? null : new X509Certificate(facts.certificate)
  const life = certificate && {
    validFrom: certificate.validFromDate.getTime(),
    expiresAt: certificate.validToDate.getTime(),
  }
  const renewal = renewalOf(facts.extensions, life)
  const last = lastOf(facts.renewals, facts.secrets)
  const missing = settings === null ? [] : uncovered(settings.domains, certificate)
  const { state, sentence } = stateOf({ ...facts, settings, missing, renewal, last })
  return {
    freshness: facts.freshness,
    state,
    sentence,
    settings,
    shown: Object.fromEntries(acmeKeys.map((key) => [key, config[key] ?? null])),
    can: {
      account: facts.extensions.includes('acme_eab'),
      dns: facts.extensions.includes('acme_dns01'),
      severalDomains: facts.extensions.includes('acme_eab'),
    },
    renewal: { rule: renewal.rule, at: isOn(settings) && missing.length === 0 ? renewal.at : null },
    last,
    warnings: [...facts.warnings],
    order: facts.order,
    leader: facts.leader,
  }
}

interface Judged extends AcmeFacts {
  readonly settings: AcmeSettings | null
  /** Domains that the certificate does not cover. */
  readonly missing: readonly string[]
  readonly renewal: { readonly at: string | null }
  readonly last: AcmeView['last']
}

function stateOf({ config, settings, missing, renewal, last, now }: Judged): Pick<AcmeView, 'state' | 'sentence'> {
  if (config === 'hidden') return { state: config, sentence: 'Incus does not show you the settings of the servers.' }
  if (config === 'unknown') return { state: config, sentence: 'No server tells its settings now.' }
  if (settings === null) {
    return {
      state: 'off',
      sentence: 'Nothing renews the certificate by itself: somebody has to replace it before it expires.',
    }
  }
  const [domain = ''] = settings.domains
  if (!isOn(settings)) {
    const lacks = [settings.email === '' && 'an email address', !settings.agreed && 'your agreement to the terms']
    const what = lacks.filter((lack) => lack !== false).join(' and ')
    return { state: 'incomplete', sentence: `Nothing is ordered for ${domain}: ${what} is missing.` }
  }
  if (last?.outcome === 'failure') {
    return { state: 'failing', sentence: `The last order for ${domain} failed. The certificate stays as it is.` }
  }
  if (missing.length > 0) {
    return {
      state: 'waiting',
      sentence: `The certificate does not cover ${missing.join(', ')} yet: the servers will order one that does.`,
    }
  }
  if (renewal.at !== null && now > Date.parse(renewal.at) + lateAfterMs) {
    return { state: 'late', sentence: `The certificate should have been renewed by now, and was not.` }
  }
  return { state: 'on', sentence: `The servers renew the certificate for ${domain} by themselves.` }
}

function isOn(settings: AcmeSettings | null): boolean {
  return settings !== null && settings.agreed && settings.email !== ''
}

function uncovered(domains: readonly string[], certificate: X509Certificate | null): readonly string[] {
  const names = /(?:^|, )DNS:([^,]+)/g
  const covered = [...(certificate?.subjectAltName ?? '').matchAll(names)].map(([, name = '']) => name.toLowerCase())
  return domains.filter((domain) => !covered.includes(domain))
}

function lastOf([newest]: readonly Operation[], secrets: readonly string[]): AcmeView['last'] {
  if (newest === undefined) return null
  const { status } = newest
  const outcome = status === 'success' || status === 'failure' || status === 'unknown' ? status : 'running'
  const failure = status === 'failure' ? orderFailure(newest.error ?? '', secrets) : null
  return {
    at: newest.endedAt ?? newest.createdAt,
    server: newest.location,
    outcome: status === 'cancelled' ? 'unknown' : outcome,
    error: failure?.error ?? null,
    advice: failure?.advice ?? null,
  }
}
