import type { InstanceList } from '../../api/instances.ts'
import { listNames } from '../../components/cluster-words.ts'
import { formatClock } from '../../lib/time.ts'
import { plural } from '../../lib/plural.ts'

/** Servers whose instances' states are not of now, for the same reason, in one sentence. */
export interface OldStates {
  readonly sentence: string
  readonly servers: readonly string[]
}

/** What the page says above the table; nothing where every state is current. */
export function oldStates({ instances, members, freshness }: InstanceList): readonly OldStates[] {
  if (freshness.kind === 'unavailable') return []
  if (instances.length > 0 && instances.every(({ status, location }) => status === null && location === null)) {
    const silent = members.flatMap(({ name, freshness }) =>
      freshness.kind === 'unavailable' && freshness.reason.startsWith('The server') ? [name] : [],
    )
    const why =
      silent.length === 0
        ? 'The cluster is still being asked for the rest.'
        : `The cluster waits for ${listNames(silent, 3)} before it tells the rest, for up to half a minute.`
    return [{ sentence: `Only names and projects are known yet. ${why}`, servers: silent }]
  }
  const groups = new Map<string, InstanceList['members']>()
  for (const member of members) {
    if (member.count === 0 || member.freshness.kind === 'fresh') continue
    const key = `${member.freshness.kind} ${member.freshness.reason.replaceAll(member.name, 'it')}`
    groups.set(key, [...(groups.get(key) ?? []), member])
  }
  return [...groups.values()].map(sentenceOf)
}

function sentenceOf(members: InstanceList['members']): OldStates {
  const servers = members.map(({ name }) => name)
  const count = members.reduce((sum, member) => sum + member.count, 0)
  const states = `${count === 1 ? 'The state' : 'States'} of ${plural(count, 'instance')} on ${listNames(servers, 3)} ${count === 1 ? 'is' : 'are'}`
  const [first] = members
  if (first === undefined || first.freshness.kind === 'fresh') return { sentence: '', servers }
  const because = reasonIn(first.freshness.reason, servers.length)
  if (first.freshness.kind === 'unavailable') return { sentence: `${states} not known: ${because}`, servers }
  const times = members.flatMap(({ freshness }) => (freshness.kind === 'stale' ? [freshness.asOf] : [])).toSorted()
  const asOf = formatClock(times[0] ?? first.freshness.asOf)
  const orLater = times[0] === times.at(-1) ? '' : ' or later'
  return { sentence: `${states} as of ${asOf}${orLater}: ${because}`, servers }
}

/** "The server is stuck." → "the server is stuck.", and of several: "the servers are stuck." */
function reasonIn(reason: string, servers: number): string {
  if (!reason.startsWith('The server ')) return reason.replace(/^(The|It|No|A) /, (word) => word.toLowerCase())
  const rest = reason.slice('The server '.length)
  if (servers === 1) return `the server ${rest}`
  return `the servers ${rest
    .replace(/^is /, 'are ')
    .replace(/^does /, 'do ')
    .replace(/^(refuse|present)s /, '$1 ')}`
}
