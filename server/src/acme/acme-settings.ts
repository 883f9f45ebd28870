/** The settings of ACME as people fill them in, and as Incus keeps them. Nothing here asks anybody. */
import type { AcmeSettings } from '@malleus/shared/api/acme.ts'
import type { MaskedValue } from '@malleus/shared/domain/redacted.ts'
import { inForce } from '../server-config/known-keys.ts'
import type { WantedSettings } from '../server-config/server-config.ts'

type Shown = Readonly<Record<string, MaskedValue>>
type Changes = WantedSettings['settings']

/** Every key of the server configuration that is about ACME. */
export const acmeKeys = [
  'acme.agree_tos',
  'acme.ca_url',
  'acme.challenge',
  'acme.domain',
  'acme.eab.hmac',
  'acme.eab.kid',
  'acme.email',
  'acme.http.port',
  'acme.provider',
  'acme.provider.environment',
  'acme.provider.resolvers',
] as const

/** What Incus has, as people fill it in; null when there is no domain, and so nothing is ordered. */
export function settingsFrom(shown: Shown): AcmeSettings | null {
  const text = (key: string): string => {
    const value = shown[key]
    return typeof value === 'string' ? inForce({ [key]: value }, key) : inForce({}, key)
  }
  const secret = (key: string): MaskedValue | null => (shown[key] === '' ? null : (shown[key] ?? null))
  const domains = text('acme.domain')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
  if (domains.length === 0) return null
  const challenge = text('acme.challenge') === 'DNS-01' ? 'DNS-01' : 'HTTP-01'
  const [httpPort, resolvers] = [text('acme.http.port'), text('acme.provider.resolvers')]
  return {
    domains,
    email: text('acme.email'),
    directory: text('acme.ca_url'),
    agreed: text('acme.agree_tos') === 'true',
    challenge,
    httpPort: challenge === 'DNS-01' && httpPort === markOf.port ? ':80' : httpPort,
    provider: text('acme.provider'),
    environment: secret('acme.provider.environment'),
    resolvers: challenge === 'HTTP-01' && resolvers === markOf.resolvers ? '' : resolvers,
    account: text('acme.eab.kid') === '' ? null : { keyId: text('acme.eab.kid'), hmac: secret('acme.eab.hmac') },
  }
}

/** What is to be written so that Incus has these settings; null: none. */
export function changesTo(settings: AcmeSettings | null): Changes {
  if (settings === null) return Object.fromEntries(acmeKeys.map((key) => [key, null]))
  const { account } = settings
  return {
    'acme.agree_tos': String(settings.agreed),
    'acme.ca_url': settings.directory,
    'acme.challenge': settings.challenge,
    'acme.domain': settings.domains.join(','),
    'acme.eab.hmac': account?.hmac ?? null,
    'acme.eab.kid': account?.keyId ?? null,
    'acme.email': settings.email,
    'acme.http.port': orNull(settings.httpPort),
    'acme.provider': orNull(settings.provider),
    'acme.provider.environment': settings.environment,
    'acme.provider.resolvers': orNull(settings.resolvers),
  }
}

/** Values that say nothing, of keys that say nothing with the other kind of challenge. */
const markOf = { port: '127.0.0.1:80', resolvers: '127.0.0.1' } as const

/**
 * What is to be written so that Incus orders again although nothing is different. It has no call for that, and orders
 * when a setting of ACME changes (incus `cmd/incusd/api_1.0.go`, `doApi10UpdateTriggers`); so one is changed that means
 * nothing with the challenge in use. Null when there is none.
 */
export function changesToOrderAgain(config: Readonly<Record<string, string>>): Changes | null {
  const [key, mark] =
    inForce(config, 'acme.challenge') === 'DNS-01'
      ? (['acme.http.port', markOf.port] as const)
      : (['acme.provider.resolvers', markOf.resolvers] as const)
  const now = config[key] ?? ''
  if (now === mark) return { [key]: null }
  return now === '' || now === ':80' ? { [key]: mark } : null
}

/** What is to be written so that the settings are what they were. */
export function changesBack(changes: Changes, config: Readonly<Record<string, string>>): Changes {
  return Object.fromEntries(
    Object.keys(changes).map((key) => [key, config[key] === undefined || config[key] === '' ? null : config[key]]),
  )
}

function orNull(text: string): string | null {
  return text === '' ? null : text
}
