/** The trust of one cluster as a person may see it: entries, tokens, and who may do what. */
import type { PendingToken, TrustEntry, TrustView, UseCollection } from '@malleus/shared/api/trust.ts'
import type { Target } from '@malleus/shared/domain/target.ts'
import { IncusTrustEntry } from '@malleus/shared/incus/certificate.ts'
import { listOf } from '@malleus/shared/incus/reply.ts'
import { IncusServer } from '@malleus/shared/incus/server.ts'
import { z } from 'zod'
import type { Gateway } from '../gateway/gateway.ts'
import { MemberError } from '../gateway/member-error.ts'
import type { Answer } from '../gateway/request.ts'
import type { Scope } from '../gateway/scope.ts'
import { scopeKey } from '../gateway/scope.ts'
import type { Clock } from '../lib/clock.ts'
import { instant } from '../lib/clock.ts'
import type { LastTold } from '../lists/last-told.ts'
import { NoSuchEntry } from './trust-error.ts'
import type { PendingTokens } from './pending-tokens.ts'
import type { IdentityRotation } from './rotation.ts'
import type { Describe, EntryFacts } from './trust-entries.ts'
import { trustEntries } from './trust-entries.ts'
import type { AuthorizationFacts } from './trust-findings.ts'
import { authorizationOf, trustFindings } from './trust-findings.ts'

export interface TrustPorts {
  readonly cluster: string
  readonly mode: 'bearer' | 'certificate'
  readonly gateway: Pick<Gateway, 'read' | 'write'>
  /** SHA-256 of the certificate with which this console is known now; null where it has none. */
  readonly own: () => string | null
  readonly describe: Describe
  /** The tokens that this authority may see. */
  readonly tokens: (scope: Scope) => PendingTokens
  /** Why this console cannot promise to withdraw a token, as a sentence; null when it can. */
  readonly cannotWithdraw: () => string | null
  /** Who used what, as far as the servers' request log was followed. */
  readonly uses: Uses
  /** What Incus told to whom. */
  readonly told: LastTold<ToldTrust>
  readonly rotation: Pick<IdentityRotation, 'rotate' | 'state'>
  readonly clock: Clock
}

export interface Uses {
  last(fingerprint: string): { readonly at: number; readonly address: string | null; readonly member: string } | null
  readonly collection: {
    readonly off: string | null
    readonly since: number | null
    readonly gaps: readonly Missed[]
    readonly deaf: readonly Omit<Missed, 'to'>[]
  }
}

interface Missed {
  readonly member: string
  readonly from: number
  readonly to: number
  readonly reason: string
}

/** Who asks, and through which members they want to. */
export interface Asker {
  readonly scope: Scope
  readonly target: Target
  /** Whether they may read who did what from where. */
  readonly seesUses: boolean
  readonly signal?: AbortSignal
}

/** What Incus says to one person or role; null where it does not, or could not be asked. */
export interface ToldTrust {
  readonly entries: readonly IncusTrustEntry[]
  readonly server: Pick<AuthorizationFacts, 'config' | 'extensions'> | null
  readonly projects: readonly string[] | null
  readonly answer: Answer<unknown>
}

/**
 * What Incus says now, or said last where it is late. Without an answer where it is not of now.
 *
 * @throws what the gateway throws when Incus refuses the entries to this person
 */
export async function readTrust(
  ports: TrustPorts,
  asker: Asker,
): Promise<{ readonly view: TrustView; readonly answer: ToldTrust['answer'] | null }> {
  const { scope, target, seesUses } = asker
  const [{ value: told, freshness }, tokens] = await Promise.all([
    // It goes on behind for the next, so it does not end with this request.
    ports.told.read(scopeKey(scope), JSON.stringify(target), () => askAll(ports, { scope, target, seesUses })),
    ports.tokens(scope).view(scope),
  ])
  const entries = trustEntries(told?.entries ?? [], factsFor(ports, asker))
  const own = entries.find(({ isConsole }) => isConsole) ?? null
  const { cluster, mode } = ports
  const facts = { cluster, mode, ...(told?.server ?? noConfiguration), own }
  const view: TrustView = {
    freshness,
    entries,
    tokens: tokens.tokens.filter((token) => isVisible(token, visibleProjects(scope))),
    tokensFreshness: tokens.freshness,
    uses: seesUses ? collectionOf(ports.uses) : null,
    authorization: authorizationOf(facts),
    // Of entries that are not known, nothing is found.
    findings: told === null ? [] : trustFindings(facts),
    rotation: { ...ports.rotation.state, cannot: told === null ? notKnown : cannotRotate(own) },
    cannotWithdraw: ports.cannotWithdraw(),
    projects: (told?.projects ?? []).filter((name) => isIn(visibleProjects(scope), name)),
  }
  return { view, answer: freshness.kind === 'fresh' && told !== null ? told.answer : null }
}

const noConfiguration = { config: {}, extensions: null } as const
const notKnown = 'It is not known whom the cluster trusts.'

async function askAll(ports: TrustPorts, asker: Asker): Promise<ToldTrust> {
  const [entries, server, projects] = await Promise.all([
    askEntries(ports, asker),
    orNull(ask(ports, asker, '', IncusServer)),
    orNull(ask(ports, asker, '/projects', listOf(z.string()))),
  ])
  const { value, ...answer } = entries
  return {
    entries: value,
    server: server && { config: server.value.config ?? {}, extensions: server.value.api_extensions ?? null },
    projects: projects && projects.value.map(nameIn),
    answer: { ...answer, value: null },
  }
}

/** What decides who may do what, without the entry of the console. @throws what the gateway throws */
export async function readAuthorization(ports: TrustPorts, asker: Asker): Promise<AuthorizationFacts> {
  const { value } = await ask(ports, asker, '', IncusServer)
  const { cluster, mode } = ports
  return { cluster, mode, config: value.config, extensions: value.api_extensions ?? null, own: null }
}

/** @throws NoSuchEntry, and what the gateway throws */
export async function readTrustEntry(
  ports: TrustPorts,
  asker: Asker,
  fingerprint: string,
): Promise<{
  readonly entry: TrustEntry
  readonly raw: IncusTrustEntry
  readonly etag: string
  readonly answer: Answer<unknown>
}> {
  const answer = await ask(ports, asker, `/certificates/${encodeURIComponent(fingerprint)}`, IncusTrustEntry).catch(
    (error: unknown) => {
      throw error instanceof MemberError && error.status === 404 ? new NoSuchEntry() : error
    },
  )
  // Incus takes the beginning of a fingerprint too; what is changed is named whole.
  const [entry] = trustEntries([answer.value], factsFor(ports, asker))
  if (entry === undefined || entry.fingerprint !== fingerprint) throw new NoSuchEntry()
  return { entry, raw: answer.value, etag: answer.etag ?? '', answer }
}

/** Every entry that the person may see. */
export async function readEntries(
  ports: TrustPorts,
  asker: Asker,
): Promise<{ readonly entries: TrustEntry[]; readonly answer: Answer<unknown> }> {
  const answer = await askEntries(ports, asker)
  return { entries: trustEntries(answer.value, factsFor(ports, asker)), answer }
}

/** In certificate mode, the console and not Incus keeps projects apart. */
export function visibleProjects(scope: Scope): 'all' | readonly string[] {
  return scope.kind === 'certificate' ? scope.projects : 'all'
}

function factsFor({ own, describe, uses, clock }: TrustPorts, { scope, seesUses }: Asker): EntryFacts {
  const lastUse = (fingerprint: string) => {
    const use = seesUses ? uses.last(fingerprint) : null
    return use && { at: instant(use.at), address: use.address, member: use.member }
  }
  return { own: own(), projects: visibleProjects(scope), describe, lastUse, now: clock.now() }
}

const mostMissed = 20

/** What goes on now comes first, then what ended last. */
function collectionOf({ collection: { off, since, gaps, deaf } }: Uses): UseCollection {
  const now = deaf.map(({ member, from, reason }) => ({ member, from: instant(from), to: null, reason }))
  const before = gaps
    .toSorted((a, b) => b.to - a.to)
    .map(({ member, from, to, reason }) => ({ member, from: instant(from), to: instant(to), reason }))
  return { off, since: since === null ? null : instant(since), missed: [...now, ...before].slice(0, mostMissed) }
}

function askEntries(ports: TrustPorts, asker: Asker): Promise<Answer<IncusTrustEntry[]>> {
  return ask(ports, asker, '/certificates', listOf(IncusTrustEntry), { recursion: '1' })
}

function ask<Parsed>(
  { gateway }: TrustPorts,
  { scope, target, signal }: Asker,
  path: string,
  parse: z.ZodType<Parsed>,
  query: Readonly<Record<string, string>> = {},
): Promise<Answer<Parsed>> {
  return gateway.read({ class: 'read', scope, target, path, query, parse, ...(signal && { signal }) })
}

/** As far as the entries tell; the rest is seen when it is tried. */
function cannotRotate(own: TrustEntry | null): string | null {
  if (own === null) return 'This console has no entry of its own here.'
  return own.restricted ? "The console's own identity is restricted and may add none." : null
}

/** What is nice to have beside the entries keeps nobody from these. */
async function orNull<Value>(reading: Promise<Value>): Promise<Value | null> {
  return reading.catch(() => null)
}

function isVisible({ restricted, projects }: PendingToken, visible: 'all' | readonly string[]): boolean {
  return !restricted || projects.length === 0 || projects.some((project) => isIn(visible, project))
}

function isIn(visible: 'all' | readonly string[], project: string): boolean {
  return visible === 'all' || visible.includes(project)
}

function nameIn(path: string): string {
  return decodeURIComponent(path.split('/').at(-1) ?? '')
}
