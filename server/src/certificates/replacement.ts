/**
 * A replacement of a cluster's certificate from when it was asked for until it is known which server presents what. Pure.
 *
 * What Incus answers is not what counts: an answer may be lost, and one that failed may have left servers with the new
 * certificate. So the handshakes of this console decide, and the answer only tells how long to wait for them.
 */
import { X509Certificate } from 'node:crypto'
import { Replacement } from '@malleus/shared/api/certificate-replacement.ts'
import type { ReplacementRow } from '@malleus/shared/api/certificate-replacement.ts'
import { z } from 'zod'
import { instant } from '../lib/clock.ts'
import { listNames } from './list-names.ts'
import { describeCertificate } from './parse-certificate.ts'

/** As it is kept: what was sent, without its key, and what came of it. */
export const KeptReplacement = Replacement.pick({
  id: true,
  startedAt: true,
  by: true,
  answer: true,
  rows: true,
  verdict: true,
  endedAt: true,
}).extend({
  /** Under which it stands in the access history. */
  requestId: z.string(),
  fingerprint: z.string(),
  /** The certificate and what signed it, PEM. */
  pem: z.string(),
  before: z.object({ fingerprint: z.string(), pem: z.string() }).nullable(),
})
export type KeptReplacement = z.infer<typeof KeptReplacement>
export type ReplacementAnswer = KeptReplacement['answer']

/** What a member shows at this moment. */
export interface MemberShows {
  readonly member: string
  /** Whether it makes handshakes. */
  readonly answers: boolean
  /** Of its last handshake; null when there never was one. */
  readonly fingerprint: string | null
  /** Wall clock. */
  readonly seenAt: number | null
  /** Why it does not answer, in words. */
  readonly why: string | null
}

/** How long servers have to take what Incus says they were given; measured: 40 ms between the first and the last. */
const TAKEN_MS = 15_000
/** After a refusal, until it is believed that what is presented stays. */
const REFUSED_MS = 3_000
/** After a lost answer, while all servers answer and none has moved. */
const SILENT_MS = 60_000
/** After a lost answer, while a server does not answer: when it goes on, so does Incus (measured with 6.0.4). */
const STUCK_MS = 30 * 60_000

export function beginReplacement(
  begun: Pick<KeptReplacement, 'id' | 'by' | 'requestId' | 'fingerprint' | 'pem' | 'before'>,
  shows: readonly MemberShows[],
  now: number,
): KeptReplacement {
  const fresh: KeptReplacement = {
    ...begun,
    startedAt: instant(now),
    answer: { kind: 'waiting' },
    rows: [],
    verdict: null,
    endedAt: null,
  }
  return lookAtReplacement(fresh, shows, now)
}

/** Incus answered, or will not. */
export function answerReplacement(replacement: KeptReplacement, answer: ReplacementAnswer): KeptReplacement {
  return replacement.endedAt === null ? { ...replacement, answer } : replacement
}

/** Takes in what the members present now, and decides where that can be. */
export function lookAtReplacement(
  replacement: KeptReplacement,
  shows: readonly MemberShows[],
  now: number,
): KeptReplacement {
  if (replacement.endedAt !== null) return replacement
  const rows = shows.map((each) => rowOf(replacement, each, now))
  const looked = { ...replacement, rows }
  const verdict = verdictOf(looked, shows, now)
  return verdict === null ? looked : { ...looked, verdict, endedAt: instant(now) }
}

function rowOf({ fingerprint, before, rows }: KeptReplacement, shows: MemberShows, now: number): ReplacementRow {
  const { member, answers, seenAt, why } = shows
  const known = rows.find((row) => row.member === member)
  const presents = !answers || shows.fingerprint === null ? 'silent' : whichOf(shows.fingerprint, fingerprint, before)
  const adoptedAt = presents === 'new' ? (known?.adoptedAt ?? instant(now)) : (known?.adoptedAt ?? null)
  return {
    member,
    fingerprint: shows.fingerprint,
    seenAt: seenAt === null ? null : instant(seenAt),
    presents,
    adoptedAt,
    note: presents === 'silent' ? (why ?? 'There was no handshake yet.') : null,
  }
}

function whichOf(presented: string, fresh: string, before: KeptReplacement['before']): ReplacementRow['presents'] {
  if (presented === fresh) return 'new'
  return before === null || presented === before.fingerprint ? 'old' : 'other'
}

function verdictOf(
  { answer, rows }: KeptReplacement,
  shows: readonly MemberShows[],
  now: number,
): KeptReplacement['verdict'] {
  if (answer.kind === 'waiting' || rows.length === 0) return null
  if (rows.every(({ presents }) => presents === 'new')) return 'done'
  const answeredAt = Date.parse(answer.at)
  const silent = rows.some(({ presents }) => presents === 'silent')
  if (now - answeredAt < patienceMs(answer.kind, silent)) return null
  // What was seen before Incus answered may have changed with the answer.
  const stale = shows.some(({ answers, seenAt }) => answers && (seenAt ?? 0) < answeredAt)
  if (stale && now - answeredAt < TAKEN_MS) return null
  return rows.some(({ presents }) => presents === 'new') ? 'in-part' : 'not-done'
}

function patienceMs(kind: Exclude<ReplacementAnswer['kind'], 'waiting'>, silent: boolean): number {
  switch (kind) {
    case 'taken':
      return TAKEN_MS
    case 'refused':
      return REFUSED_MS
    case 'none':
      return silent ? STUCK_MS : SILENT_MS
  }
}

export interface Around {
  readonly offers: Replacement['offers']
  /** Whether the cluster has gone dark since: its servers do not find each other any more. */
  readonly dark: boolean
}

/** As it is told. */
export function replacementView(replacement: KeptReplacement, { offers, dark }: Around): Replacement {
  const { id, startedAt, by, answer, rows, verdict, endedAt, before, pem } = replacement
  return {
    id,
    startedAt,
    by,
    answer,
    rows,
    verdict,
    endedAt,
    before: before?.fingerprint ?? null,
    certificate: describeCertificate(new X509Certificate(pem)),
    sentence: sentenceOf(replacement, dark),
    offers,
    repair: repairOf(replacement, dark),
  }
}

export function sentenceOf({ answer, rows, verdict }: KeptReplacement, dark = false): string {
  const have = (presents: ReplacementRow['presents']): string[] =>
    rows.filter((row) => row.presents === presents).map(({ member }) => member)
  const moved = `${have('new').length} of ${rows.length} servers present it`
  if (verdict === 'done') {
    const all = rows.length === 1 ? 'The server presents' : `All ${rows.length} servers present`
    return dark
      ? `${all} the new certificate, and do not find each other any more: the cluster has gone dark.`
      : `${all} the new certificate.`
  }
  if (verdict === 'not-done') {
    const silent = have('silent')
    const but = silent.length === 0 ? '' : ` Of ${listNames(silent)} it is not known: no handshake.`
    const why = answer.kind === 'refused' ? `Incus refused: ${asSentence(answer.message)} ` : 'It was not done. '
    return `${why}No server presents the new certificate.${but}`
  }
  if (verdict === 'in-part') {
    const parts = [
      `${listNames(have('new'))} ${have('new').length === 1 ? 'presents' : 'present'} the new certificate`,
      ...(have('old').length > 0 ? [`${listNames(have('old'))} the one before`] : []),
      ...(have('other').length > 0 ? [`${listNames(have('other'))} another one`] : []),
      ...(have('silent').length > 0 ? [`of ${listNames(have('silent'))} it is not known`] : []),
    ]
    const why = answer.kind === 'refused' ? ` Incus said: ${asSentence(answer.message)}` : ''
    return `Only in part: ${parts.join(', ')}.${why}`
  }
  switch (answer.kind) {
    case 'waiting':
      return `Incus is asked; ${moved}.`
    case 'taken':
      return `Incus has taken it; ${moved}.`
    case 'refused':
      return `Incus refused: ${asSentence(answer.message)} Looking at what the servers present.`
    case 'none': {
      const silent = have('silent')
      const until = silent.length === 0 ? '' : ` It may go on when ${listNames(silent)} answers again.`
      return `No answer came, so nobody knows yet; what the servers present decides, and ${moved}.${until}`
    }
  }
}

/**
 * Each member writes a certificate that it is given on its own socket in the name of another member only for itself
 * (incus `cmd/incusd/api_cluster.go`, `clusterCertificatePut`; measured: all Online again after 6.4 s).
 */
function repairOf({ rows, verdict }: KeptReplacement, dark: boolean): Replacement['repair'] {
  const members = rows.filter(({ presents }) => dark || presents !== 'new').map(({ member }) => member)
  if (members.length === 0 || !(dark || verdict === 'in-part')) return []
  return [{ members, command: SOCKET_COMMAND }]
}

const SOCKET_COMMAND = [
  "jq -n --rawfile c cluster.crt --rawfile k cluster.key '{cluster_certificate: $c, cluster_certificate_key: $k}'",
  'sudo curl --unix-socket /var/lib/incus/unix.socket --user-agent incus-cluster-notifier --request PUT --data @- http://incus/1.0/cluster/certificate',
].join(' | ')

function asSentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`
}
