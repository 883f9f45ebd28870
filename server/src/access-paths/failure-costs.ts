// What a failing server costs new clients of a path: pure. Measured in incidents, and until there was one, what such
// paths cost usually, which is said.

import type { FailureCost, PathKind } from '@malleus/shared/api/access-paths.ts'
import type { KeptPathIncident } from './path-incident.ts'
import { quantile } from './waiting-clients.ts'

type Failure = FailureCost['failure']

/**
 * Of a real cluster of three in namespaces, 2026-11-22, median and worst of new clients in milliseconds: haproxy with an
 * HTTP check each second; keepalived with a check each second; BGP with BFD and a check twice a second; DNS with clients
 * that wait for 31 s, as the incus command line does. Null: nothing takes over, so it lasts as long as the failure.
 */
const usual: Readonly<Record<PathKind, Readonly<Record<Failure, readonly [number, number] | null>>>> = {
  dns: { refusing: [10, 300], stuck: [10, 31_000], unreachable: [10, 31_000] },
  'load-balancer': { refusing: [10, 50], stuck: [10, 3_800], unreachable: [10, 3_700] },
  'floating-ip': { refusing: [1_600, 7_400], stuck: [1_100, 40_000], unreachable: [2_900, 4_100] },
  ecmp: { refusing: [100, 300], stuck: [500, 800], unreachable: [50, 100] },
  console: { refusing: [10, 100], stuck: [30, 300], unreachable: [30, 300] },
  member: { refusing: null, stuck: null, unreachable: null },
  local: { refusing: null, stuck: null, unreachable: null },
}

export function failureCosts(kind: PathKind, incidents: readonly KeptPathIncident[]): FailureCost[] {
  return (['refusing', 'stuck', 'unreachable'] as const).map((failure) => {
    const own = incidents.filter(({ symptom, waits }) => symptom === failure && waits.length > 0)
    return own.length === 0 ? estimate(kind, failure) : measured(failure, own)
  })
}

function measured(failure: Failure, incidents: readonly KeptPathIncident[]): FailureCost {
  const waits = incidents.flatMap((incident) => incident.waits)
  return {
    failure,
    from: 'measured',
    medianMs: quantile(waits, 0.5),
    worstMs: Math.max(...waits),
    unanswered: incidents.some(({ unanswered }) => unanswered),
    clients: incidents.reduce((sum, { clients }) => sum + clients, 0),
    incidents: incidents.map(({ beganAt }) => beganAt),
  }
}

function estimate(kind: PathKind, failure: Failure): FailureCost {
  const [medianMs, worstMs] = usual[kind][failure] ?? [null, null]
  const none = { unanswered: false, clients: 0, incidents: [] }
  return { failure, from: 'estimated', medianMs, worstMs, ...none }
}
