import { z } from 'zod'
import { endpoint } from './endpoint.ts'
import { Finding } from './finding.ts'
import { Freshness, Instant } from './freshness.ts'

/** What an entry may be called: Incus takes any text, this console no control characters and no endless ones. */
export const TrustName = z
  .string()
  .trim()
  .min(1, 'needs a name')
  .max(64)
  .regex(/^[^\p{C}]*$/u, 'has characters that cannot be shown')

const Projects = z.array(z.string().min(1).max(64)).max(1_000)

/** What can be read from the certificate of an entry. */
export const TrustCertificate = z.object({
  subject: z.string(),
  issuer: z.string(),
  selfSigned: z.boolean(),
  /** As people say it: `ECDSA P-384`, `RSA 2048`. */
  key: z.string(),
  /** How it was signed, e.g. `ecdsa-with-SHA384`; empty where that cannot be told. */
  signature: z.string(),
  validFromAt: Instant,
  expiresAt: Instant,
})
export type TrustCertificate = z.infer<typeof TrustCertificate>

/** When it was last used for a request, as the request log of the servers says. */
export const LastUse = z.object({
  at: Instant,
  /** From where; null over a unix socket. */
  address: z.string().nullable(),
  /** The server that was asked. */
  member: z.string(),
})
export type LastUse = z.infer<typeof LastUse>

/** How much it says that a use was not seen. */
export const UseCollection = z.object({
  /** Why uses are not collected; null while they are. */
  off: z.string().nullable(),
  /** Since when; null: never yet. */
  since: Instant.nullable(),
  /** Times in which a server's requests were not followed, the latest first; `to` null while that goes on. */
  missed: z.array(z.object({ member: z.string(), from: Instant, to: Instant.nullable(), reason: z.string() })),
})
export type UseCollection = z.infer<typeof UseCollection>

/** Whom the cluster knows by a certificate. */
export const TrustEntry = z.object({
  /** SHA-256 of the certificate, lower-case hexadecimal; the identity as Incus writes it into events. */
  fingerprint: z.string(),
  name: z.string(),
  /** `client`: people and programs. `metrics`: reads metrics and nothing else. `server`: a member, among members. */
  type: z.enum(['client', 'metrics', 'server', 'other']),
  /** Whether it is kept to `projects`; where it is not, it may do everything. */
  restricted: z.boolean(),
  projects: z.array(z.string()),
  description: z.string(),
  /** Null where what the cluster keeps cannot be read as a certificate. */
  certificate: TrustCertificate.nullable(),
  /** Whether it is the one with which this console is known. */
  isConsole: z.boolean(),
  /** Null where none was seen, and for who may not read the access history. */
  lastUse: LastUse.nullable(),
  /** What is wrong with it, in words. */
  findings: z.array(Finding),
})
export type TrustEntry = z.infer<typeof TrustEntry>

/** A token that was given out and not used. It is in the memory of one server and goes with its process. */
export const PendingToken = z.object({
  /** Of its operation. */
  id: z.string(),
  /** What its client will be called. */
  name: z.string(),
  restricted: z.boolean(),
  projects: z.array(z.string()),
  /** The server in whose memory it is; null on a server that is not clustered. */
  member: z.string().nullable(),
  madeAt: Instant,
  /** Who made it, where that is known; `here` when it was through this console. */
  madeBy: z.object({ name: z.string(), here: z.boolean() }).nullable(),
  /** When Incus lets it end by itself; null for never. */
  expiresAt: Instant.nullable(),
  /** When this console will withdraw it; null where it was not asked to. */
  withdrawnAt: Instant.nullable(),
})
export type PendingToken = z.infer<typeof PendingToken>

/** Something about who may do what, with how it is put right. */
export const TrustFinding = Finding.extend({
  /** What to do about it, as a sentence. */
  fix: z.string(),
  /** The command that does it; null where there is no single one. */
  command: z.string().nullable(),
  /** Where one key of the server configuration does it: the key and its value now (null: not set) and then. */
  setting: z.object({ key: z.string(), from: z.string().nullable(), to: z.string() }).nullable(),
})
export type TrustFinding = z.infer<typeof TrustFinding>

export const TrustView = z.object({
  /** How current everything but the tokens is; where it is unavailable there is nothing of it. */
  freshness: Freshness,
  entries: z.array(TrustEntry),
  tokens: z.array(PendingToken),
  /** How current `tokens` is: a server that hangs keeps Incus from listing them. */
  tokensFreshness: Freshness,
  /** What `lastUse` is worth; null for who may not read the access history. */
  uses: UseCollection.nullable(),
  /** Which rules decide what an identity may do; null where the configuration may not be seen. */
  authorization: z
    .object({
      drivers: z.array(z.enum(['tls', 'openfga', 'scriptlet'])),
      /** By kind of client what decides, from the versions on that have it; else null. */
      routing: z.record(z.string(), z.string()).nullable(),
      /** How long a token is good, as configured (`core.remote_token_expiry`); null for ever. */
      tokenExpiry: z.string().nullable(),
    })
    .nullable(),
  findings: z.array(TrustFinding),
  /** How far the rotation of the console's own identity is; `problem`: why it does not go on now. */
  rotation: z.object({
    stage: z.enum(['adding', 'removing', 'settled']),
    problem: z.string().nullable(),
    /** Why it cannot be rotated, as a sentence; null when it can. */
    cannot: z.string().nullable(),
  }),
  /** Whether this console can withdraw a token at a time; a sentence why not, else null. */
  cannotWithdraw: z.string().nullable(),
  /** The projects that there are to restrict to. */
  projects: z.array(z.string()),
})
export type TrustView = z.infer<typeof TrustView>

export const getTrust = endpoint({
  method: 'GET',
  path: '/clusters/:cluster/trust',
  summary: 'Whom the cluster trusts, the tokens that are pending, and who may do what.',
  reply: TrustView,
})

export const getTrustEntry = endpoint({
  method: 'GET',
  path: '/clusters/:cluster/trust/:fingerprint',
  summary: 'One trusted client, with its certificate and what a change of it has to name.',
  reply: z.object({ entry: TrustEntry, pem: z.string(), etag: z.string() }),
})

export const addTrustEntry = endpoint({
  method: 'POST',
  path: '/clusters/:cluster/trust',
  summary: 'Trusts a client by its certificate.',
  body: z.strictObject({
    name: TrustName,
    type: z.enum(['client', 'metrics']),
    restricted: z.boolean(),
    projects: Projects,
    /** One certificate, PEM. */
    certificate: z
      .string()
      .min(1)
      .max(64 * 1024),
  }),
  reply: z.object({ fingerprint: z.string() }),
})

export const updateTrustEntry = endpoint({
  method: 'PUT',
  path: '/clusters/:cluster/trust/:fingerprint',
  summary: 'Changes the name and the restriction of a trusted client, unless somebody else has meanwhile.',
  body: z.strictObject({
    /** As it was read; another one in between refuses the change. */
    etag: z.string().min(1).max(256),
    name: TrustName,
    restricted: z.boolean(),
    projects: Projects,
  }),
  reply: z.object({ fingerprint: z.string() }),
})

export const removeTrustEntry = endpoint({
  method: 'POST',
  path: '/clusters/:cluster/trust/:fingerprint/remove',
  summary: 'Ends the trust in a client.',
  body: z.strictObject({}),
  reply: z.object({ fingerprint: z.string() }),
})

/** The shortest and the longest time after which this console withdraws a token. */
export const withdrawMinutes = { least: 1, most: 30 * 24 * 60 } as const

/** Answered once, and never again: the token is shown to who made it and kept nowhere. */
export const createTrustToken = endpoint({
  method: 'POST',
  path: '/clusters/:cluster/trust-tokens',
  summary: 'Makes a token with which a client makes itself known, once.',
  body: z.strictObject({
    name: TrustName,
    restricted: z.boolean(),
    projects: Projects,
    /** After how many minutes this console withdraws it; null to leave it to the cluster. */
    withdrawAfterMinutes: z.int().min(withdrawMinutes.least).max(withdrawMinutes.most).nullable(),
  }),
  reply: z.object({
    token: z.string(),
    /** What to run on the client. */
    command: z.string(),
    pending: PendingToken,
  }),
})

export const withdrawTrustToken = endpoint({
  method: 'POST',
  path: '/clusters/:cluster/trust-tokens/:operation/withdraw',
  summary: 'Withdraws a token that was not used.',
  body: z.strictObject({}),
  reply: z.object({ id: z.string() }),
})

/** Only what a finding offers, and only while the key is what it was: `from` null for one that is not set. */
export const changeTrustSetting = endpoint({
  method: 'POST',
  path: '/clusters/:cluster/trust-settings',
  summary: 'Puts one key of the server configuration right, as a finding says.',
  body: z.strictObject({
    key: z.string().max(128),
    from: z.string().max(4_096).nullable(),
    /** Empty to clear it. */
    to: z.string().max(4_096),
  }),
  reply: z.object({ key: z.string() }),
})

/** Answers when the new identity is in force and the old one removed, or says why it is not yet. */
export const rotateIdentity = endpoint({
  method: 'POST',
  path: '/clusters/:cluster/trust-identity/rotate',
  summary: 'Gives this console another identity in the cluster, and removes the one before.',
  body: z.strictObject({}),
  reply: z.object({ fingerprint: z.string() }),
})
