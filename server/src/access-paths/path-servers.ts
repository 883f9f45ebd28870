// The servers as they are reached through a path: pure.

import type { PathServer } from '@malleus/shared/api/access-paths.ts'
import type { ClusterFacts, ConfiguredPath, PathEvidence, PathMember, Visit } from './access-path.ts'
import { memberAt } from './access-path.ts'
import { connectionsToBeSure, serverIn } from './check-answers.ts'

export function serversOn(path: ConfiguredPath, evidence: PathEvidence, facts: ClusterFacts): PathServer[] {
  if (path.kind === 'console') return []
  const reached = evidence.visits.map((visit) => reachedBy(visit, path, facts))
  const known = reached.filter((name) => name !== null)
  return facts.members.map((member) => {
    const visits = evidence.visits.filter((_, at) => reached[at] === member.name)
    const last = visits.at(-1)
    const place = placeOf(member, path, evidence, visits.length > 0, known.length, facts)
    const answered = last?.end.kind === 'answered' ? last.end.ms : null
    const symptom = member.symptom
    return {
      name: member.name,
      address: member.address,
      place,
      answerMs: place === 'on' && symptom === null ? answered : null,
      symptom,
      share: path.kind === 'dns' || known.length === 0 ? null : visits.length / known.length,
      note: noteOn(path, place, member),
    }
  })
}

/** Which server a visit met, as it said itself, or by its own address. */
function reachedBy(visit: Visit, { kind }: ConfiguredPath, facts: ClusterFacts): string | null {
  const [named] = serverIn(visit)
  if (named !== undefined) return named
  return kind === 'dns' || kind === 'member' ? (memberAt(visit.address, facts)?.name ?? null) : null
}

function placeOf(
  member: PathMember,
  { kind, target }: ConfiguredPath,
  { records, visits }: PathEvidence,
  wasReached: boolean,
  known: number,
  facts: ClusterFacts,
): PathServer['place'] {
  if (kind === 'dns') {
    if (records === null) return 'unknown'
    return records.some(({ address }) => member.addresses.includes(address)) ? 'on' : 'off'
  }
  if (kind === 'member' && target.kind === 'endpoint') {
    const at = [target.endpoint.host, ...(records ?? []).map(({ address }) => address)]
    return wasReached || at.some((address) => member.addresses.includes(address)) ? 'on' : 'off'
  }
  if (kind === 'floating-ip' || kind === 'local') {
    const holder = visits.findLast((visit) => serverIn(visit).length > 0)
    if (holder === undefined) return 'unknown'
    return serverIn(holder)[0] === member.name ? 'on' : 'off'
  }
  if (wasReached) return 'on'
  return known >= connectionsToBeSure(facts.members.length) ? 'off' : 'unknown'
}

function noteOn({ kind }: ConfiguredPath, place: PathServer['place'], { symptom }: PathMember): string | null {
  if (place === 'off' && kind === 'dns') return 'not in DNS'
  if (place === 'off' && kind === 'floating-ip') return symptom ?? 'stands by'
  if (place === 'off' && (kind === 'ecmp' || kind === 'load-balancer')) return symptom ?? 'no connections'
  return symptom
}
