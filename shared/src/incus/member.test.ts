import { describe, expect, test } from 'vitest'
import { IncusInstances } from './instance.ts'
import { IncusMembers, IncusMemberState } from './member.ts'
import { IncusResources } from './resources.ts'
import { IncusServer } from './server.ts'

describe('T-partial-rows: what Incus says of its members', () => {
  test('a whole row is read, and fields we do not know are kept', () => {
    const [row] = IncusMembers.parse([
      {
        roles: ['database-leader', 'database'],
        failure_domain: 'default',
        description: '',
        config: {},
        groups: ['default'],
        server_name: 'server1',
        url: 'https://10.77.0.11:8443',
        database: true,
        status: 'Online',
        message: 'Fully operational',
        architecture: 'x86_64',
        invented_in: '9.0',
      },
    ])
    expect(row).toMatchObject({ server_name: 'server1', roles: ['database-leader', 'database'], invented_in: '9.0' })
  })

  test.each<[string, object]>([
    ['config: null', { config: null, groups: null, roles: null }],
    ['missing fields', {}],
    ['an unknown status', { status: 'Pondering' }],
    ['fields of other types', { status: 7, roles: 'database', database: 'yes', config: 'none', message: null }],
  ])('a row with %s is kept', (_, fields) => {
    const rows = IncusMembers.parse([{ server_name: 'server1', ...fields }, { server_name: 'server2' }])
    expect(rows.map(({ server_name }) => server_name)).toEqual(['server1', 'server2'])
    expect(rows[0]).toMatchObject({ roles: [], groups: [], config: {} })
    expect(typeof rows[0]?.status).toBe('string')
  })

  test('a row without a name is left out, and the others stay', () => {
    expect(IncusMembers.parse([{ status: 'Online' }, null, 'server3', { server_name: 'server2' }])).toHaveLength(1)
  })

  test('no list is an empty list', () => {
    expect(IncusMembers.parse(null)).toEqual([])
  })

  test('a state with nothing in it is a state of which nothing is known', () => {
    expect(IncusMemberState.parse({ sysinfo: null, storage_pools: { local: null, ceph: { space: {} } } })).toEqual({
      sysinfo: null,
      storage_pools: { local: null, ceph: { space: {} } },
    })
    expect(IncusMemberState.parse({}).storage_pools).toEqual({})
  })

  test('resources without memory are resources', () => {
    expect(IncusResources.parse({ cpu: { total: 8 }, memory: null })).toEqual({ cpu: { total: 8 }, memory: null })
  })

  test('instances of a silent member are still counted', () => {
    const rows = IncusInstances.parse([
      { name: 'web', location: 'server3', status: 'Error', config: null, devices: null, profiles: null },
      { name: 'db' },
      { location: 'server1' },
    ])
    expect(rows.map(({ name, location }) => [name, location])).toEqual([
      ['web', 'server3'],
      ['db', ''],
    ])
  })
})

describe('what a server says of itself', () => {
  test('a stranger sees little, and from 7.0 on no extensions', () => {
    const server = IncusServer.parse({
      auth: 'untrusted',
      auth_methods: ['tls', 'oidc'],
      api_extensions: null,
      config: {},
    })
    expect(server).toMatchObject({ auth_methods: ['tls', 'oidc'], api_extensions: null })
    expect(server.environment).toBeUndefined()
  })

  test('a member without config tells its name', () => {
    const server = IncusServer.parse({
      auth: 'trusted',
      auth_methods: null,
      config: null,
      environment: { server_name: 'server1', server_clustered: true, addresses: null, certificate: 'PEM' },
    })
    expect(server.environment).toMatchObject({ server_name: 'server1', addresses: [] })
    expect(server).toMatchObject({ auth_methods: [], config: {} })
  })
})
