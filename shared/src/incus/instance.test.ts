import { describe, expect, it, test } from 'vitest'
import { IncusInstancePaths, IncusInstances, SingleIncusInstance, cutInstance, instanceIn } from './instance.ts'

/** As Incus 6.0.4 gives it, shortened. */
const running = {
  name: 'web-07',
  project: 'web',
  location: 'server2',
  type: 'container',
  status: 'Running',
  status_code: 103,
  architecture: 'x86_64',
  profiles: ['default', 'edge'],
  description: 'shop',
  created_at: '2026-11-01T10:00:00.123456789Z',
  last_used_at: '2026-11-20T10:00:00.5Z',
  config: { 'image.description': 'Debian trixie', 'volatile.uuid': 'u', 'user.secret': 's' },
  devices: {},
  expanded_config: { 'image.description': 'Debian trixie' },
  expanded_devices: {
    root: { type: 'disk', path: '/' },
    eth0: { type: 'nic', 'ipv4.address': '10.60.0.44', 'ipv6.address': 'none' },
    eth1: { type: 'nic', 'ipv6.address': 'fd42::7' },
  },
}
/** What is told of one whose member does not answer. */
const unreachable = {
  ...running,
  status: 'Error',
  status_code: 112,
  architecture: '',
  profiles: null,
  config: null,
  devices: null,
  expanded_config: null,
  expanded_devices: null,
  created_at: '0001-01-01T00:00:00Z',
  last_used_at: '0001-01-01T00:00:00Z',
}

describe('instances of Incus', () => {
  it('are read with what lists need', () => {
    expect(IncusInstances.parse([running])).toEqual([
      {
        name: 'web-07',
        project: 'web',
        location: 'server2',
        type: 'container',
        told: true,
        status: 'Running',
        architecture: 'x86_64',
        profiles: ['default', 'edge'],
        description: 'shop',
        image: 'Debian trixie',
        addresses: ['10.60.0.44', 'fd42::7'],
        created_at: running.created_at,
        last_used_at: running.last_used_at,
      },
    ])
  })

  it('are the same when what is not needed was cut away before', () => {
    for (const row of [running, unreachable]) {
      expect(IncusInstances.parse([cutInstance(row)])).toEqual(IncusInstances.parse([row]))
    }
    expect(JSON.stringify(cutInstance(running))).not.toContain('secret')
  })

  it('were not told where their member did not answer, and were where they are in error', () => {
    const [silent, broken] = IncusInstances.parse([unreachable, { ...running, status: 'Error', status_code: 112 }])
    expect(silent).toMatchObject({ name: 'web-07', location: 'server2', told: false })
    expect(broken).toMatchObject({ told: true, status: 'Error' })
  })

  test.each<[string, unknown, readonly string[]]>([
    ['null for none', null, []],
    ['rows that are none', [null, 7, 'x', {}, { name: '' }, { name: 'a' }], ['a']],
    [
      'fields of other kinds',
      [{ name: 'a', status: 7, profiles: 'x', config: [], expanded_devices: { eth0: null } }],
      ['a'],
    ],
  ])('are read forgivingly: %s', (_what, rows, names) => {
    expect(IncusInstances.parse(rows).map(({ name }) => name)).toEqual(names)
  })

  it('are refused where a single one has no name', () => {
    expect(SingleIncusInstance.safeParse({}).success).toBe(false)
    expect(SingleIncusInstance.parse(running).name).toBe('web-07')
  })
})

describe('paths of instances', () => {
  test.each([
    ['/1.0/instances/web-07', { project: 'default', name: 'web-07' }],
    ['/1.0/instances/web-07?project=web', { project: 'web', name: 'web-07' }],
    ['/1.0/instances/a%20b?target=x&project=team%20a', { project: 'team a', name: 'a b' }],
    ['/1.0/instances/web-07/snapshots/s1?project=web', { project: 'web', name: 'web-07' }],
    ['/1.0/instances', undefined],
    ['/1.0/profiles/web-07', undefined],
    ['/1.0/instances/%', undefined],
  ])('%s', (path, expected) => {
    expect(instanceIn(path)).toEqual(expected)
  })

  it('come as a list without recursion', () => {
    expect(IncusInstancePaths.parse(['/1.0/instances/a', '/1.0/what'])).toEqual([{ project: 'default', name: 'a' }])
    expect(IncusInstancePaths.parse(null)).toEqual([])
  })
})
