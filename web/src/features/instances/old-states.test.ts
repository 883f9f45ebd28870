import type { Instance, InstanceMember } from '@malleus/shared/api/instances.ts'
import { describe, expect, it, test } from 'vitest'
import type { InstanceList } from '../../api/instances.ts'
import { formatClock } from '../../lib/time.ts'
import { stateOf, typeWord } from './instance-state.ts'
import { oldStates } from './old-states.ts'

const asOf = '2026-11-22T06:11:01.000Z'
const earlier = '2026-11-22T06:10:01.000Z'
const fresh = { kind: 'fresh', asOf } as const
const stuck = { kind: 'stale', asOf, reason: 'The server is stuck.' } as const
const neverTold = { kind: 'unavailable', reason: 'The server is stuck.' } as const

function instance(more: Partial<Instance> = {}): Instance {
  const rest = { type: null, architecture: null, profiles: null, description: null, image: null, addresses: null }
  return {
    name: 'a',
    project: 'default',
    location: 'server3',
    status: 'Running',
    createdAt: null,
    lastUsedAt: null,
    ...rest,
    ...more,
  }
}

const member = (name: string, count: number, freshness: InstanceMember['freshness']) => ({ name, count, freshness })
function list(members: InstanceMember[], more: Partial<InstanceList> = {}): InstanceList {
  return { revision: 'e.1', instances: [instance()], freshness: fresh, members, ...more }
}
const sentences = (of: InstanceList) => oldStates(of).map(({ sentence }) => sentence)

describe('what is said of states that are not of now', () => {
  test.each<[string, InstanceList, string[]]>([
    ['nothing where all are', list([member('server1', 3, fresh)]), []],
    ['nothing of a silent server without instances', list([member('server3', 0, stuck)]), []],
    [
      'as of when they are, and why',
      list([member('server1', 3, fresh), member('server3', 49, stuck)]),
      [`States of 49 instances on server3 are as of ${formatClock(asOf)}: the server is stuck.`],
    ],
    [
      'of one',
      list([member('server3', 1, stuck)]),
      [`The state of 1 instance on server3 is as of ${formatClock(asOf)}: the server is stuck.`],
    ],
    [
      'of several for one reason in one sentence',
      list([member('server3', 2, stuck), member('server4', 3, { ...stuck, asOf: earlier })]),
      [
        `States of 5 instances on server3 and server4 are as of ${formatClock(earlier)} or later: the servers are stuck.`,
      ],
    ],
    [
      'of each reason by itself',
      list([
        member('server3', 2, stuck),
        member('server4', 3, { ...stuck, reason: 'The server refuses connections.' }),
      ]),
      [
        `States of 2 instances on server3 are as of ${formatClock(asOf)}: the server is stuck.`,
        `States of 3 instances on server4 are as of ${formatClock(asOf)}: the server refuses connections.`,
      ],
    ],
    [
      'that they are not known',
      list([member('server3', 2, neverTold)]),
      ['States of 2 instances on server3 are not known: the server is stuck.'],
    ],
    [
      'that there are only names yet',
      list([member('server1', 0, { kind: 'unavailable', reason: 'Asking.' })], {
        instances: [instance({ status: null, location: null })],
      }),
      ['Only names and projects are known yet. The cluster is still being asked for the rest.'],
    ],
    [
      'whom the cluster waits for before there is more',
      list([member('server3', 0, neverTold)], { instances: [instance({ status: null, location: null })] }),
      [
        'Only names and projects are known yet. The cluster waits for server3 before it tells the rest, for up to half a minute.',
      ],
    ],
    ['nothing where nothing at all is known', list([], { instances: [], freshness: neverTold }), []],
  ])('%s', (_what, of, expected) => {
    expect(sentences(of)).toEqual(expected)
  })
})

describe('the state of an instance', () => {
  const servers = (freshness: InstanceMember['freshness']) => new Map([['server3', member('server3', 1, freshness)]])
  test.each<[string, Partial<Instance>, InstanceMember['freshness'], object]>([
    ['is what Incus says', {}, fresh, { look: 'good', shape: 'play', word: 'Running', asOf: null }],
    ['may be an error', { status: 'Error' }, fresh, { look: 'bad', word: 'Error' }],
    [
      'may be a word of a later version',
      { status: 'Dreaming' },
      fresh,
      { look: 'quiet', shape: 'question', word: 'Dreaming' },
    ],
    [
      'is last known where its server is silent',
      {},
      stuck,
      { look: 'unknown', word: 'Running', asOf, because: 'The server is stuck.' },
    ],
    [
      'is as old as the row says',
      { asOf: earlier },
      stuck,
      { look: 'unknown', asOf: earlier, because: 'The server is stuck.' },
    ],
    [
      'is last known where it alone could not be told',
      { asOf: earlier },
      fresh,
      { look: 'unknown', asOf: earlier, because: 'The cluster could not tell it anew.' },
    ],
    [
      'is unknown where it was never told',
      { status: null },
      neverTold,
      { look: 'unknown', shape: 'question', word: 'Unknown', because: 'The server is stuck.' },
    ],
  ])('%s', (_what, row, freshness, expected) => {
    expect(stateOf(instance(row), servers(freshness))).toMatchObject(expected)
  })

  it('is unknown while not even its server is known', () => {
    expect(stateOf(instance({ status: null, location: null }), new Map())).toMatchObject({
      word: 'Unknown',
      because: 'It has not been told yet.',
    })
  })
})

test('types have short words', () => {
  expect(['container', 'virtual-machine', 'other', null].map(typeWord)).toEqual(['Container', 'VM', 'other', null])
})
