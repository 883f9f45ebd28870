import type { ClusterSummary } from '@malleus/shared/api/clusters.ts'
import type { Member } from '@malleus/shared/api/members.ts'
import { describe, expect, test } from 'vitest'
import { checksFor, consequence, equivalentCommand, whyNot } from './state-change.ts'

const asOf = '2026-11-22T06:12:00.000Z'
const fresh = { kind: 'fresh', asOf } as const
const gib = 1024 ** 3

function server(name: string, change: Partial<Member> = {}, status = 'Online', architecture = 'x86_64'): Member {
  return {
    name,
    address: 'a:8443',
    notContacted: null,
    reported: {
      value: {
        status,
        message: '',
        roles: [],
        groups: [],
        failureDomain: 'a',
        architecture,
        description: '',
        database: true,
      },
      freshness: fresh,
    },
    presented: null,
    load: { value: { average1: 1, average5: 1, average15: 1, cores: 16 }, freshness: fresh },
    memory: { value: { usedBytes: 16 * gib, totalBytes: 64 * gib }, freshness: fresh },
    instances: { value: { count: 61 }, freshness: fresh },
    health: { standing: 'healthy', symptom: null, since: asOf, answerMs: 4, answeredAt: asOf, failure: null },
    ...change,
  }
}
const stuck: Member['health'] = {
  standing: 'ejected',
  symptom: 'stuck',
  since: asOf,
  answerMs: null,
  answeredAt: asOf,
  failure: null,
}
const may = { may: true, because: 'Your role is viewer; an admin of this cluster can do this.' }
const lost: ClusterSummary['database'] = {
  kind: 'lost',
  since: '2026-11-22T06:11:00.000Z',
  cause: 'unexplained',
  holders: [],
  rolesAsOf: null,
}
const well = { database: { kind: 'answers' }, clustered: true } as const

test.each([
  ['evacuate', '', 'incus cluster evacuate prod-eu:server3'],
  ['evacuate', 'live-migrate', 'incus cluster evacuate prod-eu:server3 --action live-migrate'],
  ['restore', 'skip', 'incus cluster restore prod-eu:server3 --action skip'],
] as const)('%s in mode "%s" is "%s"', (action, mode, command) => {
  expect(equivalentCommand('prod-eu', 'server3', action, mode)).toBe(command)
})

describe('why a server cannot be evacuated or restored', () => {
  const row = (
    action: 'evacuate' | 'restore',
    member: Member,
    permission = may,
    cluster: Parameters<typeof whyNot>[2] = well,
  ) => whyNot(action, member, cluster, permission)
  test('nothing stands against evacuating a healthy server', () => {
    expect(row('evacuate', server('server3'))).toBeUndefined()
    expect(row('restore', server('server3', {}, 'Evacuated'))).toBeUndefined()
  })
  test('a viewer is told whom to ask, before anything else', () => {
    expect(row('evacuate', server('server3', { health: stuck }), { ...may, may: false })).toBe(may.because)
  })
  test('a silent server is told with what would happen', () => {
    expect(row('evacuate', server('server3', { health: stuck }))).toMatch(
      /^server3 does not answer\. Incus would pass the call on/,
    )
  })
  test('its state stands against it', () => {
    expect(row('evacuate', server('server3', {}, 'Evacuated'))).toBe('server3 is already evacuated.')
    expect(row('restore', server('server3'))).toBe('server3 is not evacuated.')
  })
  test('without the cluster database nothing changes', () => {
    expect(row('evacuate', server('server3'), may, { ...well, database: lost })).toMatch(/^The cluster database/)
  })
  test('a server of its own has nowhere to send its instances', () => {
    expect(row('evacuate', server('server3'), may, { ...well, clustered: false })).toMatch(/not part of a cluster/)
  })
})

describe('the rail of checks', () => {
  const verdicts = (member: Member, all: Member[], mode = '') =>
    checksFor('evacuate', member, [member, ...all], well, mode).map(({ verdict, text }) => `${verdict}: ${text}`)
  test('a cluster with room has only "can"', () => {
    expect(verdicts(server('server3'), [server('server1'), server('server2')])).toEqual([
      'can: server3 answers, and the cluster calls it Online.',
      'can: The cluster database answers.',
      'can: server1 and server2 can take instances.',
      'can: server3 uses 16 GiB of memory; 96 GiB are free on the others.',
    ])
  })
  test('servers that are stuck or evacuated are no places to go', () => {
    expect(
      verdicts(server('server3'), [server('server1', { health: stuck }), server('server2', {}, 'Evacuated')])[2],
    ).toBe('can-but: No other server is online: every instance would be stopped on this one.')
  })
  test('too little memory and another architecture are said beforehand', () => {
    const full = server(
      'server1',
      { memory: { value: { usedBytes: 60 * gib, totalBytes: 64 * gib }, freshness: fresh } },
      'Online',
      'aarch64',
    )
    expect(verdicts(server('server3'), [full]).slice(2)).toEqual([
      'can: server1 can take instances.',
      'can-but: None of them is x86_64: instances of this architecture would be stopped.',
      'can-but: server3 uses 16 GiB of memory; 4.0 GiB are free on the others.',
    ])
  })
  test('where instances only stop, nothing needs a place', () => {
    expect(verdicts(server('server3'), [], 'stop')).toHaveLength(2)
  })
  test('memory is not compared while that of one server is not known', () => {
    const unknown = server('server1', { memory: { value: null, freshness: { kind: 'unavailable', reason: 'x' } } })
    expect(verdicts(server('server3'), [unknown])).toHaveLength(3)
  })
})

test.each([
  [
    'evacuate',
    '',
    61,
    'Its 61 instances leave according to the mode, and the cluster places none on server3 until it is restored.',
  ],
  [
    'evacuate',
    'stop',
    1,
    'Its 1 instance stops according to the mode, and the cluster places none on server3 until it is restored.',
  ],
  ['evacuate', '', 0, 'server3 has no instances. The cluster places none on it until it is restored.'],
  ['restore', '', 0, 'server3 takes instances again, and what left it for the evacuation comes back.'],
  ['restore', 'skip', 0, 'server3 takes instances again. Nothing is moved or started.'],
] as const)('%s "%s" with %d instances is told before', (action, mode, count, text) => {
  expect(consequence(action, server('server3', { instances: { value: { count }, freshness: fresh } }), mode)).toBe(text)
})
