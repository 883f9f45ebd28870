import type { Person } from '@malleus/server/testing/stand-in-idp/person.ts'

/** A cluster to try things on, with an identity provider its members trust: our own stand-in, or a real one. */
export interface World {
  /** In words: "five stand-in members", "three real Incus servers". */
  readonly description: string
  readonly members: readonly string[]
  readonly faults: readonly Fault[]
  readonly provider: ProviderSettings
  /** A one-time trust token, as `incus config trust add` prints it. */
  trustToken(name: string): Promise<string>
  break(member: string, fault: Fault): Promise<void>
  mend(member: string): Promise<void>
  /** What is broken now. */
  broken(): ReadonlyMap<string, Fault>
  /** Ends everything and leaves nothing behind. */
  close(): Promise<void>
}

export const faults = {
  stuck: 'accepts connections and answers nothing, like a process that was stopped',
  refusing: 'refuses connections, like a daemon that was killed',
  'cut-off': 'answers nothing at all, like a machine whose cable was pulled',
  slow: 'answers ten times later',
  'wrong-certificate': 'presents a certificate that is not the cluster’s',
  starting: 'completes TLS and does not answer yet, like a daemon that starts',
} as const
export type Fault = keyof typeof faults

export function isFault(text: string): text is Fault {
  return Object.hasOwn(faults, text)
}

/** What the console needs to know of the provider. */
export interface ProviderSettings {
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string
  readonly audience: string
  /** PEM of the authority that signed its certificate, when it is `https`. */
  readonly ca?: string
}

/** Where the console will be; the provider has to know before it starts. */
export interface ConsoleAddress {
  readonly url: string
  readonly redirectUri: string
  readonly postLogoutRedirectUri: string
  readonly backchannelLogoutUri: string
}

export function consoleAddress(port: number, host = 'localhost'): ConsoleAddress {
  const url = `http://${host}:${port}`
  return {
    url,
    redirectUri: `${url}/auth/callback`,
    postLogoutRedirectUri: `${url}/sign-in`,
    backchannelLogoutUri: `${url}/auth/backchannel-logout`,
  }
}

/** One person for each role, and one without. */
export const people: readonly (Person & { readonly email: string; readonly role: string })[] = [
  { sub: 'u-mika', name: 'Mika Kallio', email: 'mika@example.net', groups: ['incus-admins'], role: 'admin' },
  { sub: 'u-jo', name: 'Jo Lindgren', email: 'jo@example.net', groups: ['incus-operators'], role: 'operator' },
  { sub: 'u-sam', name: 'Sam Okoro', email: 'sam@example.net', groups: ['staff'], role: 'viewer' },
  { sub: 'u-ana', name: 'Ana Duarte', email: 'ana@example.net', groups: ['audit'], role: 'auditor' },
  { sub: 'u-kim', name: 'Kim Weiss', email: 'kim@example.net', groups: ['visitors'], role: 'no role' },
]
