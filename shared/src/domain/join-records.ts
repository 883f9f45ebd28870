import type { AuditRecord } from '../api/audit.ts'
import { echoWithinMs, isEchoOf } from './incus-echo.ts'

/** How something came to a cluster: through this console, some other way that Incus says, or from Incus itself. */
export type HistoryWay =
  | { readonly kind: 'console' }
  | {
      readonly kind: 'tls' | 'oidc' | 'unix' | 'other'
      readonly address: string | null
      readonly member: string | null
    }
  | { readonly kind: 'incus' }

/** One thing that was done, with all that the history has of it. */
export interface HistoryStory {
  /** The record that says most, with what others of its parts know beside it: who, to what, from where. */
  readonly head: AuditRecord
  /** Oldest first. */
  readonly parts: readonly AuditRecord[]
  readonly way: HistoryWay
  /** It was done through here, and Incus did not say so within 30 seconds. */
  readonly unconfirmed: boolean
}

/**
 * Puts together what belongs to one deed: what the console announced, was answered and found out, the request as a member
 * logged it, and the event in which Incus tells of it. Incus gives no id for that, so beside the console's own requests
 * and operations it goes by who, what, where and when; what fits two deeds goes to the nearer one. Pure, and whatever the
 * order of the records.
 *
 * @returns one story for each deed, the newest first; each record is in exactly one
 */
export function joinRecords(records: readonly AuditRecord[]): readonly HistoryStory[] {
  const oldestFirst = records.toSorted((a, b) => happenedAt(a) - happenedAt(b) || a.seq - b.seq)
  const deeds: AuditRecord[][] = []
  const own = new ConsoleDeeds(deeds)
  for (const record of oldestFirst) if (record.source === 'console') own.add(record)
  for (const record of oldestFirst) {
    if (record.source === 'console') continue
    const deed = own.deedOf(record) ?? outsideDeed(deeds, record)
    if (deed === undefined) deeds.push([record])
    else deed.push(record)
  }
  const newest = (parts: readonly AuditRecord[]) => Math.max(...parts.map(happenedAt))
  return deeds.toSorted((a, b) => newest(b) - newest(a)).map(storyOf)
}

/** When it happened, in milliseconds since 1970: by Incus's clock for what Incus says, else when it was recorded. */
export function happenedAt({ source, req, ts }: AuditRecord): number {
  const stamp = source === 'incus' ? Date.parse(req?.id.split('@').at(-1) ?? '') : Number.NaN
  return Number.isNaN(stamp) ? Date.parse(ts) : stamp
}

/** How a record came about, for the page: "with a client certificate from 10.0.0.7, at server1". */
export function wayInWords(way: HistoryWay): string {
  if (way.kind === 'console') return 'through this console'
  if (way.kind === 'incus') return 'by Incus itself'
  const { member, address } = way
  if (way.kind === 'unix') return `at the unix socket of ${member ?? 'a server'}`
  const from = `${address === null ? '' : ` from ${address}`}${member === null ? '' : `, at ${member}`}`
  if (way.kind === 'oidc') return `signed in to Incus itself${from}`
  return way.kind === 'tls' ? `with a client certificate${from}` : `another way${from}`
}

/** What was done through this console, by request and by operation. */
class ConsoleDeeds {
  readonly #all: AuditRecord[][]
  readonly #byRequest = new Map<string, AuditRecord[]>()
  readonly #byOperation = new Map<string, AuditRecord[]>()

  constructor(all: AuditRecord[][]) {
    this.#all = all
  }

  add(record: AuditRecord): void {
    const id = record.req?.id ?? ''
    const operation = record.out?.op ?? ''
    const known = this.#byRequest.get(id) ?? this.#byOperation.get(operation)
    const deed = known ?? []
    deed.push(record)
    if (known === undefined) this.#all.push(deed)
    if (id !== '') this.#byRequest.set(id, deed)
    if (operation !== '') this.#byOperation.set(operation, deed)
  }

  deedOf(record: AuditRecord): AuditRecord[] | undefined {
    // The console comes over the network: what was done at a server's own socket, somebody else did.
    if (record.actor?.protocol === 'unix' || record.during !== undefined) return undefined
    const at = happenedAt(record)
    const fitting = [...new Set(this.#byRequest.values())].filter((deed) => isOfConsoleDeed(record, at, deed))
    return nearest(fitting, at)
  }
}

function isOfConsoleDeed(record: AuditRecord, at: number, deed: readonly AuditRecord[]): boolean {
  const own = deed.filter(({ source }) => source === 'console')
  const [first] = own
  const last = own.at(-1)
  if (first === undefined || last === undefined) return false
  if (first.cluster !== record.cluster || !first.decision.allow || first.phase !== 'intent') return false
  if (at < happenedAt(first) - clockToleranceMs) return false
  const object = own.map((part) => part.object).find((name) => name !== null) ?? null
  if (isRequest(record)) {
    if (record.decision.rule !== throughConsole || at > happenedAt(last) + clockToleranceMs) return false
    return object === null || record.object === null || object === record.object
  }
  return at <= happenedAt(last) + echoWithinMs && isEchoOf(record, { action: first.action, object })
}

/** A request that came another way and its event, or the same event as another member tells it. */
function outsideDeed(deeds: readonly AuditRecord[][], record: AuditRecord): AuditRecord[] | undefined {
  if (isRequest(record) || record.during !== undefined) return undefined
  const at = happenedAt(record)
  const fitting = deeds.filter((deed) =>
    deed.some((part) => isRequestOf(part, record, at) || isSameEvent(part, record, at)),
  )
  return nearest(fitting, at)
}

function isRequestOf(request: AuditRecord, event: AuditRecord, at: number): boolean {
  if (request.source !== 'incus' || request.action !== 'request.change') return false
  if (request.cluster !== event.cluster || !isRelated(request.req?.path ?? '', event.req?.path ?? '')) return false
  const after = at - happenedAt(request)
  // Many changes name nobody, so that only the request says who it was.
  if (event.actor === null) return after >= -clockToleranceMs && after <= namelessWithinMs
  const isSame = request.actor?.name === event.actor.name && request.actor.protocol === event.actor.protocol
  return isSame && request.src.ip === event.src.ip && after >= -clockToleranceMs && after <= echoWithinMs
}

/** `cluster-certificate-updated` comes from every member, `certificate-created` with a name from one of them only. */
function isSameEvent(part: AuditRecord, event: AuditRecord, at: number): boolean {
  if (part.source !== 'incus' || isRequest(part) || part.action !== event.action) return false
  if (part.cluster !== event.cluster || part.req?.path !== event.req?.path || part.up?.via === event.up?.via)
    return false
  if (part.actor !== null && event.actor !== null && part.actor.name !== event.actor.name) return false
  return Math.abs(at - happenedAt(part)) <= clockToleranceMs
}

/** `/1.0/instances/c1/state` changes `/1.0/instances/c1`, and `/1.0/profiles` makes `/1.0/profiles/p2`. */
function isRelated(asked: string, told: string): boolean {
  if (asked === '' || told === '' || asked === '/1.0') return false
  return asked === told || asked.startsWith(`${told}/`) || told.startsWith(`${asked}/`)
}

function nearest(deeds: readonly AuditRecord[][], at: number): AuditRecord[] | undefined {
  const apart = (deed: readonly AuditRecord[]) => Math.min(...deed.map((part) => Math.abs(at - happenedAt(part))))
  return deeds.toSorted((a, b) => apart(a) - apart(b))[0]
}

function storyOf(unsorted: readonly AuditRecord[]): HistoryStory {
  const parts = unsorted.toSorted((a, b) => happenedAt(a) - happenedAt(b) || a.seq - b.seq)
  const own = parts.filter(({ source }) => source === 'console')
  const events = parts.filter((part) => part.source === 'incus' && !isRequest(part))
  const said = own.at(-1) ?? events.find(({ actor }) => actor !== null) ?? events[0] ?? parts[0]
  if (said === undefined) throw new TypeError('a story without a record')
  const tellers = own.length > 0 ? own : parts
  const first = <Value>(of: (record: AuditRecord) => Value | null): Value | null =>
    of(said) ?? tellers.map(of).find((value) => value !== null) ?? null
  const head: AuditRecord = {
    ...said,
    actor: first(({ actor }) => actor),
    object: first(({ object }) => object),
    up: first(({ up }) => up),
    src: { ip: first(({ src }) => src.ip), via: first(({ src }) => src.via) },
  }
  const isFlagged = own.some(({ out }) => out?.code === unconfirmed)
  return { head, parts, way: wayOf(head, own.length > 0), unconfirmed: isFlagged && events.length === 0 }
}

function wayOf({ actor, src, up, source, decision, action }: AuditRecord, isOwn: boolean): HistoryWay {
  if (isOwn || decision.rule === throughConsole) return { kind: 'console' }
  const place = { address: src.ip, member: up?.via ?? null }
  if (actor === null)
    return action.startsWith('request.') || source !== 'incus' ? { kind: 'other', ...place } : { kind: 'incus' }
  const { protocol } = actor
  const kind = protocol === 'tls' || protocol === 'oidc' || protocol === 'unix' ? protocol : 'other'
  return { kind, ...place }
}

function isRequest({ action }: AuditRecord): boolean {
  return action.startsWith('request.')
}

/** `decision.rule` of a request in a member's log that this console carried there. */
export const throughConsole = 'through this console'
/** `out.code` of the record that says that Incus did not tell of a deed in time. */
export const unconfirmed = 'unconfirmed'

/** Members' clocks and ours may differ by this much and still be taken for right. */
const clockToleranceMs = 2_000
const namelessWithinMs = 5_000
