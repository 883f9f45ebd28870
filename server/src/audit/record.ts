import { hash as digest } from 'node:crypto'
import { AuditRecord } from '@malleus/shared/api/audit.ts'
import { tagOf } from '../lib/keys.ts'
import { canonicalJson } from './canonical-json.ts'
import type { Json } from './canonical-json.ts'

/** What is to be recorded, before it has its place in the chain. */
export type AuditEntry = Omit<AuditRecord, 'v' | 'chain' | 'seq' | 'ts' | 'phase' | 'prev' | 'hash'>

export type AuditActor = NonNullable<AuditRecord['actor']>
export type AuditRequest = NonNullable<AuditRecord['req']>
export type AuditPhase = AuditRecord['phase']

/** Where a record stands: one chain per start, `prev` the hash of the record before it. */
export interface ChainPlace {
  readonly chain: string
  readonly seq: number
  readonly prev: string
}

/** `prev` of the first record there ever was. */
export const noHash = '0'.repeat(64)

/** Fills in what an entry does not say: done through the console, by nobody known, to nothing, and allowed. */
export function auditEntry(said: Partial<AuditEntry> & Pick<AuditEntry, 'action'>): AuditEntry {
  return {
    source: 'console',
    cluster: null,
    actor: null,
    src: { ip: null, via: null },
    req: null,
    object: null,
    up: null,
    decision: { allow: true, rule: '' },
    out: null,
    ...said,
  }
}

/** The person as the record names them: the identity, the words for people, and how they signed in. */
export function actorOf(person: {
  readonly iss: string
  readonly sub: string
  readonly name: string
  readonly roles: Readonly<AuditActor['roles']>
  readonly sessionTag: string
  readonly authTime: number | null
  readonly amr: readonly string[]
}): AuditActor {
  const { iss, sub, name, roles, sessionTag, authTime, amr } = person
  return { iss, sub, name, roles: [...roles], session: sessionTag, authTime, amr: [...amr], protocol: null }
}

/** A request as the record names it; what is left out is null, empty, and counted once. */
export function requestOf(
  said: Partial<AuditRequest> & Pick<AuditRequest, 'id' | 'method' | 'route' | 'path'>,
): AuditRequest {
  return { query: [], project: null, placement: null, body: null, changed: [], count: 1, ...said }
}

/** By which equal bodies can be recognised and none can be read. */
export function bodyTag(hmacKey: Buffer, body: Uint8Array): string {
  return tagOf(hmacKey, 'request body', Buffer.from(body).toString('base64')).toString('hex')
}

/** An event of a cluster's own, however it came about: `Evacuated server3` from the command line is in the history too. */
export function incusEventEntry(event: {
  readonly cluster: string
  /** Incus's own word, e.g. `cluster-member-evacuated`. */
  readonly action: string
  /** Path of the object without its prefix, e.g. `server3`. */
  readonly object: string | null
  /** Path of the object, e.g. `/1.0/cluster/members/server3`. */
  readonly source: string
  readonly project: string | null
  /** Unique: where and when it happened, to the nanosecond. */
  readonly id: string
  /** The member on which it happened; null on a server that is not clustered. */
  readonly member: string | null
  readonly requestor: { readonly username: string; readonly protocol: string; readonly address: string | null } | null
}): AuditEntry {
  const { requestor } = event
  return auditEntry({
    source: 'incus',
    action: event.action,
    cluster: event.cluster,
    object: event.object,
    src: { ip: requestor?.address ?? null, via: null },
    // Incus's own tasks, and who redeems a token, have no name.
    actor: requestor === null || requestor.username === '' ? null : incusActor(requestor.username, requestor.protocol),
    req: requestOf({ id: event.id, method: '', route: '', path: event.source, project: event.project }),
    up: throughMember(event.member, requestor === null || requestor.username === '' ? null : requestor.username),
    decision: { allow: true, rule: 'incus' },
  })
}

/** Somebody whom Incus knows, as a record names them: a certificate's fingerprint, or a user's name. */
export function incusActor(name: string, protocol: string): AuditActor {
  return { iss: null, sub: null, name, roles: [], session: null, authTime: null, amr: [], protocol }
}

/** What went to a member without this console. */
export function throughMember(member: string | null, incusUser: string | null): AuditEntry['up'] {
  return { via: member, mode: null, attempts: 1, hedged: false, incusUser }
}

const Entry = AuditRecord.omit({ v: true, chain: true, seq: true, ts: true, phase: true, prev: true, hash: true })

/**
 * An entry that can be recorded, whatever strangers put into it: text is cut, what has no form in JSON is replaced, and
 * where a part is not what a record may hold, what was done, where and whether it was allowed still are.
 */
export function recordable(entry: AuditEntry): AuditEntry {
  const sound = Entry.safeParse(tidy(entry))
  if (sound.success) return sound.data
  const { source, action, cluster, object, decision } = entry
  const known = { source, action, cluster, object, decision: { ...decision, rule: `${decision.rule} (incomplete)` } }
  return Entry.parse(tidy(auditEntry(known)))
}

/** An entry that was put away as JSON; undefined when it is none. */
export function parseEntry(value: unknown): AuditEntry | undefined {
  const parsed = Entry.safeParse(value)
  return parsed.success ? parsed.data : undefined
}

/** Gives an entry its place and seals it: the hash covers all the rest and, through `prev`, every record before it. */
export function placeRecord(entry: AuditEntry, phase: AuditPhase, ts: string, place: ChainPlace): AuditRecord {
  const rest: Omit<AuditRecord, 'hash'> = { v: 1, ts, phase, ...place, ...entry }
  const canonical = canonicalJson(rest)
  const hash = digest('sha256', rest.prev + canonical, 'hex')
  const record = { ...rest, hash }
  // The hash stands between `decision` and `object`; inside of strings the mark cannot occur, as quotes are escaped there.
  const at = canonical.indexOf(',"object":')
  texts.set(record, `${canonical.slice(0, at)},"hash":"${hash}"${canonical.slice(at)}`)
  return record
}

/** SHA-256 of the previous hash and the record in canonical form without its own hash, in lower-case hexadecimal. */
export function hashOf(record: Omit<AuditRecord, 'hash'>): string {
  const { hash: _, ...rest } = { hash: undefined, ...record }
  return digest('sha256', rest.prev + canonicalJson(rest), 'hex')
}

/** The line that is stored. */
export function textOf(record: AuditRecord): string {
  return texts.get(record) ?? canonicalJson(record)
}

/** Texts of records that were placed here, which had to be made for their hashes. Records are never changed. */
const texts = new WeakMap<AuditRecord, string>()

/** Reads a stored line; undefined when it is not a record. */
export function parseRecord(text: string): AuditRecord | undefined {
  try {
    const parsed = AuditRecord.safeParse(JSON.parse(text))
    return parsed.success ? parsed.data : undefined
  } catch {
    return undefined
  }
}

/**
 * Whether a record is one that the history would be drowned in: an allowed read, the page's word that somebody is there,
 * a page that asks before anybody has signed in, or what the cluster does by itself.
 */
export function isQuiet(record: Pick<AuditRecord, 'source' | 'decision' | 'action' | 'actor' | 'during'>): boolean {
  const { source, decision, action, actor, during } = record
  // That something is missing is told as loudly as what is there.
  if (during !== undefined) return false
  if (source === 'incus' && action.startsWith('request.')) return decision.allow && action !== 'request.change'
  // What nobody, or a member for another, is said to have done is part of something that somebody did.
  if (source === 'incus') return actor === null || actor.protocol === 'cluster'
  // Every page asks who is signed in before somebody is.
  if (decision.rule === 'not_signed_in') return true
  return decision.allow && (/\.(read|list)$/.test(action) || action === 'session.activity')
}

const MOST_CHARACTERS = 1024

/** Text comes from strangers: it is cut, and what has no form in JSON is replaced, so that nothing is unrecordable. */
function tidy(value: Json): Json {
  if (typeof value === 'number') return Number.isFinite(value) ? value : null
  if (typeof value === 'string') return value.slice(0, MOST_CHARACTERS).toWellFormed()
  if (value === null || typeof value !== 'object') return value
  if (Array.isArray(value)) return value.map(tidy)
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [key, member === undefined ? null : tidy(member)]),
  )
}
