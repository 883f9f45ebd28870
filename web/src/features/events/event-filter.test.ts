import type { ClusterEvent, EventEntry, EventGap } from '@malleus/shared/api/events.ts'
import { expect, test } from 'vitest'
import { EventFilter, filterEntries, offered, type Choice } from './event-filter.ts'

const event = (seq: number, fields: Partial<ClusterEvent> = {}): ClusterEvent => ({
  kind: 'event',
  seq,
  type: 'lifecycle',
  at: '2026-11-22T06:12:00.000Z',
  heardAt: '2026-11-22T06:12:00.004Z',
  location: 'server1',
  project: 'default',
  action: 'instance-started',
  source: '/1.0/instances/web-1',
  description: null,
  who: { name: 'mika@example.net', protocol: 'oidc' },
  raw: {},
  ...fields,
})
const gap: EventGap = {
  kind: 'gap',
  seq: 3,
  from: '2026-11-22T06:12:01.000Z',
  to: '2026-11-22T06:12:02.000Z',
  reason: 'x',
}
const entries: readonly EventEntry[] = [
  event(1),
  event(2, { source: '/1.0/instances/web-2', location: 'server2', project: 'shop', who: null }),
  gap,
  event(4, { action: 'cluster-member-evacuated', source: '/1.0/cluster/members/server2', project: null }),
  event(5, {
    type: 'operation',
    action: 'operation-running',
    source: '/1.0/operations/o1',
    description: 'Creating instance',
    who: null,
    location: null,
  }),
]
const none = EventFilter.parse({})

test.each<[string, Partial<EventFilter>, number[]]>([
  ['nothing', {}, [1, 2, 3, 4, 5]],
  ['what was done', { type: 'lifecycle' }, [1, 2, 3, 4]],
  ['an action', { action: 'instance-started' }, [1, 2, 3]],
  ['a project', { project: 'shop' }, [2, 3]],
  ['a server', { server: 'server2' }, [2, 3]],
  ['an object', { object: 'server2' }, [3, 4]],
  ['a person', { who: 'mika@example.net' }, [1, 3, 4]],
  ['words of the sentence', { q: 'was  STARTED web' }, [1, 2, 3]],
  ['a word of a description', { q: 'creating' }, [3, 5]],
  ['a project by word', { q: 'shop' }, [2, 3]],
  ['several things at once', { project: 'default', q: 'web-1' }, [1, 3]],
  ['what nothing has', { q: 'nowhere' }, [3]],
])('a filter for %s leaves what fits, and gaps always', (_, filter, left) => {
  expect(filterEntries(entries, { ...none, ...filter }).map(({ seq }) => seq)).toEqual(left)
})

test.each<[Choice, string[]]>([
  ['type', ['lifecycle', 'operation']],
  ['action', ['cluster-member-evacuated', 'instance-started', 'operation-running']],
  ['project', ['default', 'shop']],
  ['server', ['server1', 'server2']],
  ['object', ['server2', 'web-1', 'web-2']],
  ['who', ['mika@example.net']],
])('of each %s there is one can choose', (choice, values) => {
  expect(offered(entries, none, choice)).toEqual(values)
})

test('what the link chose can be taken back although nothing has it', () => {
  expect(offered(entries, { ...none, server: 'server9' }, 'server')).toEqual(['server1', 'server2', 'server9'])
})

test('nonsense in a link is no filter', () => {
  expect(EventFilter.parse({ type: 'nonsense', q: 3, action: {} })).toEqual({})
})
