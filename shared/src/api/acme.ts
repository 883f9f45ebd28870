import { z } from 'zod'
import { MaskedValue } from '../domain/redacted.ts'
import { endpoint } from './endpoint.ts'
import { Freshness, Instant } from './freshness.ts'

/** Directories of authorities that people use, by the name they know them by. */
export const acmeDirectories = [
  { name: "Let's Encrypt", url: 'https://acme-v02.api.letsencrypt.org/directory', needsAccount: false },
  {
    name: "Let's Encrypt, for trying out",
    url: 'https://acme-staging-v02.api.letsencrypt.org/directory',
    needsAccount: false,
  },
  { name: 'ZeroSSL', url: 'https://acme.zerossl.com/v2/DV90', needsAccount: true },
  { name: 'Buypass', url: 'https://api.buypass.com/acme/directory', needsAccount: false },
] as const

const DomainName = z
  .string()
  .max(253)
  .regex(/^(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$/, 'has to be a full name')

/** How the servers get their certificate from an ACME authority (RFC 8555) by themselves. */
export const AcmeSettings = z.strictObject({
  /** The first is the main one. */
  domains: z.array(DomainName).min(1).max(100),
  email: z.email().max(254),
  /** Where the authority says what it can do. */
  directory: z.url({ protocol: /^https$/ }).max(2048),
  /** That the terms of the authority are agreed to. */
  agreed: z.boolean(),
  challenge: z.enum(['HTTP-01', 'DNS-01']),
  /** Where the server that orders listens for challenges, as Incus writes it. */
  httpPort: z.string().max(64),
  /** For DNS-01: who serves the zone, by the name that lego has for it. */
  provider: z.string().max(64),
  /** What lego needs to know to write into the zone: lines of NAME=value. Secret. */
  environment: MaskedValue.nullable(),
  /** Name servers to be asked whether the zone has changed. */
  resolvers: z.string().max(1024),
  /** External account binding (RFC 8555, 7.3.4). */
  account: z.strictObject({ keyId: z.string().max(512), hmac: MaskedValue.nullable() }).nullable(),
})
export type AcmeSettings = z.infer<typeof AcmeSettings>

/** An order for a certificate that was asked for here, followed to its end. */
export const AcmeOrder = z.object({
  id: z.string(),
  kind: z.enum(['configure', 'renew', 'turn-off']),
  domain: z.string(),
  by: z.string(),
  startedAt: Instant,
  endedAt: Instant.nullable(),
  /** `looking`: the answer was lost, and what became of the order is being found out. */
  phase: z.enum(['ordering', 'looking', 'spreading', 'done', 'failed', 'unknown']),
  /** What is going on, or how it ended, as a sentence. */
  line: z.string(),
  /** In the words of Incus and of lego. */
  error: z.string().nullable(),
  /** What to do about it. */
  advice: z.object({ text: z.string(), command: z.string().nullable() }).nullable(),
})
export type AcmeOrder = z.infer<typeof AcmeOrder>

export const AcmeView = z.object({
  /** How current the settings and the warnings are; where they are unavailable, the state is `unknown`. */
  freshness: Freshness,
  /** `hidden`: Incus does not show the settings to this person. `unknown`: no server tells them now. */
  state: z.enum(['off', 'incomplete', 'on', 'waiting', 'late', 'failing', 'hidden', 'unknown']),
  /** The state as a sentence. */
  sentence: z.string(),
  /** Null while it is off. */
  settings: AcmeSettings.extend({ domains: z.array(z.string()), email: z.string(), directory: z.string() }).nullable(),
  /** What the settings were when this was read; to be sent along with a change of them. */
  shown: z.record(z.string(), MaskedValue.nullable()),
  /** What this version of Incus has. */
  can: z.object({ account: z.boolean(), dns: z.boolean(), severalDomains: z.boolean() }),
  renewal: z.object({ rule: z.string(), at: Instant.nullable() }),
  /** The last time that a server looked whether to order, or ordered; null when none is known. */
  last: z
    .object({
      at: Instant,
      server: z.string().nullable(),
      outcome: z.enum(['running', 'success', 'failure', 'unknown']),
      error: z.string().nullable(),
      advice: AcmeOrder.shape.advice,
    })
    .nullable(),
  /** What Incus warns of in this regard. */
  warnings: z.array(z.string()),
  /** The latest one. */
  order: AcmeOrder.nullable(),
  /** The server that orders. */
  leader: z.string().nullable(),
})
export type AcmeView = z.infer<typeof AcmeView>

export const AcmeCheck = z.object({
  what: z.string(),
  verdict: z.enum(['can', 'can-but', 'cannot']),
  because: z.string(),
  /** As this console sees it from where it stands; the authority may see otherwise, as where DNS answers differently. */
  fromHere: z.boolean(),
})
export type AcmeCheck = z.infer<typeof AcmeCheck>

export const getAcme = endpoint({
  method: 'GET',
  path: '/clusters/:cluster/acme',
  summary: 'How the servers renew their certificate by themselves, when they will, and how it went last.',
  reply: AcmeView,
})

export const checkAcme = endpoint({
  method: 'POST',
  path: '/clusters/:cluster/acme/check',
  summary: 'Whether an order with these settings can succeed, as far as can be told before. Looks up the domains.',
  body: z.strictObject({ settings: AcmeSettings }),
  reply: z.object({ checks: z.array(AcmeCheck) }),
})

export const changeAcme = endpoint({
  method: 'PUT',
  path: '/clusters/:cluster/acme',
  summary: 'Has the servers order their certificate with these settings, at once and from then on; null turns it off.',
  body: z.strictObject({ settings: AcmeSettings.nullable(), shown: AcmeView.shape.shown }),
  reply: z.object({ order: AcmeOrder }),
})

export const renewAcme = endpoint({
  method: 'POST',
  path: '/clusters/:cluster/acme/renewal',
  summary: 'Has the servers order a new certificate now, with the settings they have.',
  body: z.strictObject({}),
  reply: z.object({ order: AcmeOrder }),
})
