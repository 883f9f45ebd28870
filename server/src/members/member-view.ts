/** One server as a page shows it: what the cluster reports beside what the console observes and reads. Pure. */
import type { X509Certificate } from 'node:crypto'
import type { Known } from '@malleus/shared/api/freshness.ts'
import type { Health } from '@malleus/shared/api/health.ts'
import type { Member, MemberDetail, Presented, ProbeRecord, Reported } from '@malleus/shared/api/members.ts'
import type { IncusMemberState } from '@malleus/shared/incus/member.ts'
import type { IncusResources } from '@malleus/shared/incus/resources.ts'
import { formatEndpoint } from '../clusters/endpoint.ts'
import type { KnownMember } from '../clusters/member-directory.ts'
import { fingerprintOf } from '../clusters/trust.ts'
import type { Verdict } from '../clusters/trust.ts'
import { instant } from '../lib/clock.ts'
import { knownFrom, unavailable } from './reading.ts'
import type { MemberReadings } from './readings.ts'
import { readEveryMs } from './readings.ts'
import type { ReportedNow } from './reported-by-cluster.ts'

export interface LastPresented {
  readonly certificate: X509Certificate
  readonly verdict: Verdict
  /** Wall clock. */
  readonly seenAt: number
}

export interface Observed {
  readonly health: Health
  readonly presented: LastPresented | null
  readonly readings: MemberReadings
  readonly instances: Member['instances']
  /** Milliseconds ahead of the console's clock; null before it was measured. */
  readonly skewMs: number | null
  readonly probes: readonly ProbeRecord[]
}

export function memberView(known: KnownMember, reported: ReportedNow, observed: Observed, now: number): Member {
  return withReported(observedView(known, observed, now), reported)
}

/** All of it but what the cluster reports. */
export type ObservedMember = Omit<Member, 'reported'>

export function withReported(observed: ObservedMember, reported: ReportedNow): Member {
  return { ...observed, reported: reportedOf(observed.name, reported) }
}

export function observedView(known: KnownMember, observed: Observed, now: number): ObservedMember {
  const { readings } = observed
  return {
    name: known.name,
    address: formatEndpoint(known.endpoint),
    notContacted: known.why,
    health: observed.health,
    presented: observed.presented && presentedView(observed.presented),
    load: loadOf(readings, now),
    memory: knownFrom(readings.resources, memoryOf, { now, everyMs: readEveryMs.resources }),
    instances: observed.instances,
  }
}

export function memberDetailView(member: Member, observed: Observed, now: number): MemberDetail {
  const { readings, skewMs, health } = observed
  const { state, server } = readings
  return {
    ...member,
    version: knownFrom(server, ({ environment }) => environment?.server_version ?? null, {
      now,
      everyMs: readEveryMs.server,
    }),
    uptimeSeconds: knownFrom(state, ({ sysinfo }) => sysinfo?.uptime ?? null, { now, everyMs: readEveryMs.state }),
    clockSkewMs: skewOf(skewMs, health),
    pools: knownFrom(state, poolsOf, { now, everyMs: readEveryMs.state }),
    probes: [...observed.probes],
  }
}

function reportedOf(name: string, reported: ReportedNow): Known<Reported> {
  switch (reported.kind) {
    case 'standalone':
      return unavailable('This server is not part of a cluster.')
    case 'unavailable':
      return unavailable(reported.reason)
    case 'fresh':
    case 'stale': {
      const row = reported.list.rows.get(name)
      if (row === undefined) return unavailable('The cluster does not list it.')
      const asOf = instant(reported.list.at)
      if (reported.kind === 'fresh') return { value: row, freshness: { kind: 'fresh', asOf } }
      return { value: row, freshness: { kind: 'stale', asOf, reason: reported.reason } }
    }
  }
}

function presentedView({ certificate, verdict, seenAt }: LastPresented): Presented {
  return {
    fingerprint: fingerprintOf(certificate),
    expiresAt: instant(certificate.validToDate.getTime()),
    seenAt: instant(seenAt),
    verdict,
  }
}

/** Load means little without the number of cores. A server that is not clustered tells both in one document. */
function loadOf({ state, resources }: MemberReadings, now: number): Member['load'] {
  const cores = resources.value?.cpu?.total ?? null
  if (state.value === null && resources.value?.load) {
    return knownFrom(resources, loadOfResources, { now, everyMs: readEveryMs.resources })
  }
  if (cores === null && state.value !== null) return unavailable('How many cores it has is not known yet.')
  return knownFrom(state, (value) => loadOfState(value, cores ?? 0), { now, everyMs: readEveryMs.state })
}

function loadOfState({ sysinfo }: IncusMemberState, cores: number) {
  const [average1, average5, average15] = sysinfo?.load_averages ?? []
  if (average1 === undefined || average5 === undefined || average15 === undefined) return null
  return { average1, average5, average15, cores }
}

/** What Incus calls Average10Min is the third number of /proc/loadavg, which covers 15 minutes (proc_loadavg(5)). */
function loadOfResources({ load, cpu }: IncusResources) {
  const [average1, average5, average15] = [load?.Average1Min, load?.Average5Min, load?.Average10Min]
  if (typeof average1 !== 'number' || typeof average5 !== 'number' || typeof average15 !== 'number') return null
  return cpu?.total ? { average1, average5, average15, cores: cpu.total } : null
}

function memoryOf({ memory }: IncusResources) {
  const { used, total } = memory ?? {}
  return typeof used === 'number' && typeof total === 'number' ? { usedBytes: used, totalBytes: total } : null
}

function poolsOf({ storage_pools }: IncusMemberState) {
  return Object.entries(storage_pools).flatMap(([name, pool]) => {
    const { used, total } = pool?.space ?? {}
    return typeof used === 'number' && typeof total === 'number' ? [{ name, usedBytes: used, totalBytes: total }] : []
  })
}

function skewOf(skewMs: number | null, { answeredAt, standing }: Health): MemberDetail['clockSkewMs'] {
  if (skewMs === null || answeredAt === null) return unavailable('It has not been measured yet.')
  if (standing === 'healthy' || standing === 'probation') {
    return { value: skewMs, freshness: { kind: 'fresh', asOf: answeredAt } }
  }
  return { value: skewMs, freshness: { kind: 'stale', asOf: answeredAt, reason: 'The last time it answered in time.' } }
}
