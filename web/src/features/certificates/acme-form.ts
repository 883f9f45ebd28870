/** What people fill in for ACME, as text, and what it means. */
import type { AcmeSettings, AcmeView } from '@malleus/shared/api/acme.ts'
import { acmeDirectories } from '@malleus/shared/api/acme.ts'
import type { MaskedValue } from '@malleus/shared/domain/redacted.ts'
import { isRedacted } from '@malleus/shared/domain/redacted.ts'

export interface AcmeForm {
  readonly domains: string
  readonly email: string
  readonly directory: string
  readonly agreed: boolean
  readonly challenge: AcmeSettings['challenge']
  readonly httpPort: string
  readonly provider: string
  /** Null: as it is. */
  readonly environment: string | null
  readonly resolvers: string
  readonly keyId: string
  /** Null: as it is. */
  readonly hmac: string | null
}

const [first] = acmeDirectories

/** The form as it is opened: with what there is, or ready for the authority that most people use. */
export function formOf(settings: AcmeView['settings']): AcmeForm {
  return {
    domains: settings?.domains.join(', ') ?? '',
    email: settings?.email ?? '',
    directory: settings?.directory ?? first.url,
    agreed: settings?.agreed ?? false,
    challenge: settings?.challenge ?? 'HTTP-01',
    httpPort: settings?.httpPort ?? '',
    provider: settings?.provider ?? '',
    environment: isRedacted(settings?.environment) ? null : '',
    resolvers: settings?.resolvers ?? '',
    keyId: settings?.account?.keyId ?? '',
    hmac: isRedacted(settings?.account?.hmac) ? null : '',
  }
}

/** What is asked for; a secret that was not touched goes back as the mask that came. */
export function settingsIn(form: AcmeForm, before: AcmeView['settings']): AcmeSettings {
  return {
    domains: domainsIn(form),
    email: form.email.trim(),
    directory: form.directory.trim(),
    agreed: form.agreed,
    challenge: form.challenge,
    httpPort: form.httpPort.trim(),
    provider: form.provider.trim(),
    environment: secret(form.environment, before?.environment ?? null),
    resolvers: form.resolvers.trim(),
    account:
      form.keyId.trim() === ''
        ? null
        : { keyId: form.keyId.trim(), hmac: secret(form.hmac, before?.account?.hmac ?? null) },
  }
}

/** Why it cannot be asked for yet, as a sentence. */
export function whyNotYet(form: AcmeForm): string | undefined {
  const domains = domainsIn(form)
  if (domains.length === 0) return 'Fill in a domain first.'
  const wrong = domains.find((domain) => !/^(\*\.)?([a-z0-9-]+\.)+[a-z][a-z0-9-]*[a-z0-9]$/.test(domain))
  if (wrong !== undefined) return `${wrong} is not a full name, such as incus.example.net.`
  if (!/^[^@\s]+@[^@\s]+\.[^@\s]+$/.test(form.email.trim()))
    return 'Fill in an email address: the authority writes to it.'
  if (!/^https:\/\/\S+$/.test(form.directory.trim())) return 'The address of the directory begins with https://.'
  if (!form.agreed) return 'Agree to the terms of the authority first.'
  if (form.challenge === 'DNS-01' && form.provider.trim() === '') return 'Fill in who serves the zone.'
  return undefined
}

/** What an authority of that address is called, and whether it wants an account that was made before. */
export function directoryOf(url: string): (typeof acmeDirectories)[number] | undefined {
  return acmeDirectories.find((directory) => directory.url === url.trim())
}

function domainsIn({ domains }: AcmeForm): string[] {
  return domains
    .split(/[\s,]+/)
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '')
}

function secret(typed: string | null, before: MaskedValue | null): MaskedValue | null {
  if (typed === null) return before
  return typed.trim() === '' ? null : typed
}
