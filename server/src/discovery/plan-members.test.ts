import { IncusMembers } from '@malleus/shared/incus/member.ts'
import { describe, expect, test } from 'vitest'
import { formatEndpoint, parseEndpoint } from '../clusters/endpoint.ts'
import { MemberDirectory } from '../clusters/member-directory.ts'
import type { PlanMembersInput } from './plan-members.ts'
import { planMembers } from './plan-members.ts'

function plan(
  rows: Record<string, string>,
  seeds: string[],
  more: Partial<Pick<PlanMembersInput, 'memberNetworks' | 'memberPorts' | 'addresses' | 'seedNames' | 'before'>> = {},
) {
  const endpoints = seeds.map(parseEndpoint)
  const planned = planMembers({
    rows: IncusMembers.parse(
      Object.entries(rows).map(([server_name, url]) => ({ server_name, url, groups: ['default'] })),
    ),
    before: new MemberDirectory(endpoints).list(),
    seeds: endpoints,
    memberNetworks: null,
    memberPorts: [8443],
    addresses: new Map(),
    seedNames: new Map(),
    ...more,
  })
  return {
    ...planned,
    contacted: planned.members.map(
      ({ name, contacted, endpoint }) => `${name} ${contacted ? formatEndpoint(endpoint) : '-'}`,
    ),
  }
}

describe('the members of a cluster', () => {
  test('take the place of the seeds, and keep what is known of them', () => {
    const { contacted, renamed, members } = plan({ server1: 'https://10.0.0.1:8443' }, ['10.0.0.1:8443'])
    expect(contacted).toEqual(['server1 10.0.0.1:8443'])
    expect(renamed).toEqual([{ from: '10.0.0.1:8443', to: 'server1' }])
    expect(members[0]?.groups).toEqual(['default'])
  })

  const rows = { server1: 'https://10.0.0.1:8443', server2: 'https://10.0.1.2:8443', server3: 'https://10.0.0.3:9000' }
  const cases: [string, Parameters<typeof plan>, string[]][] = [
    [
      'without networks, exactly the seeds are contacted',
      [rows, ['10.0.0.1:8443']],
      ['server1 10.0.0.1:8443', 'server2 -', 'server3 -'],
    ],
    [
      'members inside the networks are contacted',
      [rows, ['10.0.0.1:8443'], { memberNetworks: ['10.0.0.0/16'] }],
      ['server1 10.0.0.1:8443', 'server2 10.0.1.2:8443', 'server3 -'],
    ],
    [
      'on the ports that are allowed',
      [rows, ['10.0.0.1:8443'], { memberNetworks: ['10.0.0.0/24'], memberPorts: [8443, 9000] }],
      ['server1 10.0.0.1:8443', 'server2 -', 'server3 10.0.0.3:9000'],
    ],
    [
      'a seed is contacted though it is outside of the networks',
      [rows, ['10.0.1.2:8443'], { memberNetworks: ['10.0.0.0/24'] }],
      ['server1 10.0.0.1:8443', 'server2 10.0.1.2:8443', 'server3 -'],
    ],
    [
      'IPv6',
      [{ server1: 'https://[fd00::1]:8443', server2: 'https://[fd01::2]:8443' }, [], { memberNetworks: ['fd00::/64'] }],
      ['server1 [fd00::1]:8443', 'server2 -'],
    ],
    [
      'a seed given by name, and listed by address',
      [rows, ['one.example:8443'], { addresses: new Map([['one.example', ['10.0.0.1']]]) }],
      ['server1 10.0.0.1:8443', 'server2 -', 'server3 -'],
    ],
    [
      'one name for several members',
      [rows, ['all.example:8443'], { addresses: new Map([['all.example', ['10.0.0.1', '10.0.1.2']]]) }],
      ['server1 10.0.0.1:8443', 'server2 10.0.1.2:8443', 'server3 -'],
    ],
    [
      'a member listed by name needs all of its addresses inside',
      [
        {
          server1: 'https://one.example:8443',
          server2: 'https://two.example:8443',
          server3: 'https://none.example:8443',
        },
        [],
        {
          memberNetworks: ['10.0.0.0/24'],
          addresses: new Map([
            ['one.example', ['10.0.0.1']],
            ['two.example', ['10.0.0.2', '192.0.2.2']],
          ]),
        },
      ],
      ['server1 one.example:8443', 'server2 -', 'server3 -'],
    ],
    [
      'a seed behind which a member says its name',
      [rows, ['nat.example:443'], { seedNames: new Map([['nat.example:443', 'server2']]) }],
      ['server1 -', 'server2 nat.example:443', 'server3 -'],
    ],
    [
      'a seed of which nobody knows whose it is stays, so that it can be asked',
      [rows, ['nat.example:443']],
      ['server1 -', 'server2 -', 'server3 -', 'nat.example:443 nat.example:443'],
    ],
    [
      'a name that leads to a seed and elsewhere is no seed',
      [
        { server1: 'https://both.example:8443' },
        ['10.0.0.1:8443'],
        { addresses: new Map([['both.example', ['10.0.0.1', '192.0.2.1']]]) },
      ],
      ['server1 -', '10.0.0.1:8443 10.0.0.1:8443'],
    ],
    ['an address that cannot be read', [{ server1: 'unix:/var/lib' }, []], ['server1 -']],
  ]
  test.each(cases)('%s', (_, input, contacted) => {
    expect(plan(...input).contacted).toEqual(contacted)
  })

  test('a member that is listed by name is contacted where the name led when it was allowed', () => {
    const { members } = plan(
      { server1: 'https://one.example:8443', server2: 'https://two.example:8443', server3: 'https://10.0.0.3:8443' },
      ['two.example:8443'],
      {
        memberNetworks: ['10.0.0.0/24'],
        addresses: new Map([
          ['one.example', ['10.0.0.9', '10.0.0.1']],
          ['two.example', ['10.0.0.2']],
        ]),
      },
    )
    expect(members.map(({ addresses }) => addresses)).toEqual([['10.0.0.1', '10.0.0.9'], undefined, undefined])
  })

  test('each member that is not contacted says why', () => {
    const why = (input: Parameters<typeof plan>) => plan(...input).members.map((member) => member.why)
    expect(why([{ server1: 'https://10.0.0.1:8443' }, []])[0]).toContain('not among those listed')
    expect(why([{ server1: 'https://10.0.0.1:8443' }, [], { memberNetworks: ['10.9.0.0/24'] }])[0]).toContain(
      'outside of the networks',
    )
    expect(why([{ server1: 'https://10.0.0.1:80' }, [], { memberNetworks: ['10.0.0.0/24'] }])[0]).toContain('port 80')
    expect(why([{ server1: 'https://one.example:8443' }, [], { memberNetworks: ['10.0.0.0/24'] }])[0]).toContain(
      'does not resolve',
    )
    expect(why([{ server1: '' }, []])[0]).toContain('no address')
  })

  test('a member that answers where another name answered is the same one', () => {
    const before = plan({ server1: 'https://10.0.0.1:8443', server2: 'https://10.0.0.2:8443' }, [
      '10.0.0.1:8443',
      '10.0.0.2:8443',
    ]).members
    const { renamed } = plan(
      { server1: 'https://10.0.0.1:8443', db2: 'https://10.0.0.2:8443' },
      ['10.0.0.1:8443', '10.0.0.2:8443'],
      { before },
    )
    expect(renamed).toEqual([{ from: 'server2', to: 'db2' }])
  })

  test('a member that left is no other one', () => {
    const before = plan({ server1: 'https://10.0.0.1:8443', server2: 'https://10.0.0.2:8443' }, [
      '10.0.0.1:8443',
    ]).members
    const { renamed, contacted } = plan({ server1: 'https://10.0.0.1:8443' }, ['10.0.0.1:8443'], { before })
    expect(renamed).toEqual([])
    expect(contacted).toEqual(['server1 10.0.0.1:8443'])
  })
})
