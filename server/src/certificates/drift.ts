/**
 * Which servers were left behind with another certificate than the cluster has, and why, as far as that is known. Pure.
 *
 * Only what is trusted drifts: one that presents a certificate nobody expects is a stranger, and sent nothing. While a
 * new certificate arrives, servers differ for a moment, and that is no drift: what counts is a handshake that was made
 * a while after the cluster had got its present certificate.
 */
import { z } from 'zod'

/** The cluster had another certificate from then on. */
export const KeptChange = z.object({
  /** Wall clock. */
  at: z.number(),
  fingerprint: z.string(),
  before: z.string().nullable(),
  /** Members that did not answer then, and why, in words. */
  absent: z.array(z.object({ member: z.string(), why: z.string() })),
})
export type KeptChange = z.infer<typeof KeptChange>

/** How long a new certificate may take to be presented everywhere. */
export const ARRIVAL_MS = 10_000

export interface DriftFacts {
  /** What the cluster has; null while that is not known. */
  readonly current: string | null
  /** Newest first; the first is how the cluster got what it has. */
  readonly changes: readonly KeptChange[]
  readonly members: readonly ShowsNow[]
}

interface ShowsNow {
  readonly member: string
  /** Whether it makes handshakes, and is trusted. */
  readonly answers: boolean
  readonly fingerprint: string | null
  /** Wall clock. */
  readonly seenAt: number | null
}

export interface Drifted {
  readonly member: string
  readonly fingerprint: string
  /** As a sentence, or two. */
  readonly reason: string
}

export function drifted({ current, changes, members }: DriftFacts): Drifted[] {
  const [latest] = changes
  if (current === null || latest?.fingerprint !== current) return []
  return members.flatMap(({ member, answers, fingerprint, seenAt }) => {
    if (!answers || fingerprint === null || seenAt === null || fingerprint === current) return []
    if (seenAt < latest.at + ARRIVAL_MS) return []
    return [{ member, fingerprint, reason: reasonOf(member, fingerprint, latest, changes) }]
  })
}

/** What a certificate is that was the cluster's once; undefined for one that never was. */
export function describeFormer(fingerprint: string, changes: readonly KeptChange[]): string | undefined {
  const successor = changes.find(({ before }) => before === fingerprint)
  return successor && `It is the one that the cluster had until ${minuteOf(successor.at)}.`
}

function reasonOf(member: string, fingerprint: string, latest: KeptChange, changes: readonly KeptChange[]): string {
  const former = describeFormer(fingerprint, changes)?.replace('It is', 'It presents')
  const presents = former ?? 'It presents another certificate than the cluster has.'
  const absent = latest.absent.find((each) => each.member === member)
  if (absent === undefined) return presents
  return `${presents} It did not answer during the update of ${minuteOf(latest.at)}: ${absent.why}`
}

/** As everybody reads it, wherever they are. */
function minuteOf(at: number): string {
  return `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`
}
