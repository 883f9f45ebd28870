import type { OperationList } from '../../api/operations.ts'
import { listNames } from '../../components/cluster-words.ts'
import { lowerFirst } from '../../components/freshness-words.ts'
import { formatClock } from '../../lib/time.ts'

/** Servers of which it is not known what they do now, for the same reason, in one sentence. */
export interface OldPart {
  readonly sentence: string
  readonly servers: readonly string[]
}

/** What the page says above the table; nothing where all of it is current. */
export function oldParts({ members, freshness }: OperationList): readonly OldPart[] {
  if (freshness.kind === 'unavailable') {
    return [{ sentence: `What runs now is not known yet: ${lowerFirst(freshness.reason)}`, servers: [] }]
  }
  if (freshness.kind === 'stale' && members.every((member) => member.freshness.kind !== 'fresh')) {
    const sentence = `What runs was last known at ${formatClock(freshness.asOf)}: ${lowerFirst(freshness.reason)}`
    return [{ sentence, servers: [] }]
  }
  const groups = new Map<string, OperationList['members']>()
  for (const member of members) {
    if (member.freshness.kind === 'fresh') continue
    const key = `${member.freshness.kind} ${member.freshness.reason.replaceAll(member.name, 'it')}`
    groups.set(key, [...(groups.get(key) ?? []), member])
  }
  return [...groups.values()].map(sentenceOf)
}

function sentenceOf(members: OperationList['members']): OldPart {
  const servers = members.map(({ name }) => name)
  const where = `What runs on ${listNames(servers, 3)}`
  const [first] = members
  if (first === undefined || first.freshness.kind === 'fresh') return { sentence: '', servers }
  const reason = lowerFirst(first.freshness.reason)
  if (first.freshness.kind === 'unavailable') return { sentence: `${where} is not known: ${reason}`, servers }
  const times = members.flatMap((member) => (member.freshness.kind === 'stale' ? [member.freshness.asOf] : []))
  const asOf = times.toSorted()[0] ?? first.freshness.asOf
  return { sentence: `${where} is as of ${formatClock(asOf)}: ${reason}`, servers }
}
