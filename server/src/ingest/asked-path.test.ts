import { describe, expect, test } from 'vitest'
import { readAskedPath } from './asked-path.ts'

describe('what was asked for', () => {
  test.each([
    ['/1.0', '/1.0', null],
    ['/', '/', null],
    ['/1.0/instances?filter=&recursion=2', '/1.0/instances', null],
    ['/1.0/instances/c1', '/1.0/instances/{}', 'c1'],
    ['/1.0/instances/state/state', '/1.0/instances/{}/state', 'state'],
    ['/1.0/instances/c1/snapshots/before%20it', '/1.0/instances/{}/snapshots/…', 'c1'],
    ['/1.0/instances/c1/snapshots/s0', '/1.0/instances/{}/snapshots/{}', 's0'],
    ['/1.0/images/aliases/busybox', '/1.0/images/aliases/{}', 'busybox'],
    ['/1.0/images/24680369?secret=hidden', '/1.0/images/{}', '24680369'],
    ['/1.0/cluster/members/server2/state', '/1.0/cluster/members/{}/state', 'server2'],
    ['/1.0/cluster/certificate', '/1.0/cluster/certificate', null],
    [
      '/1.0/storage-pools/local/volumes/custom/v1/snapshots/s1',
      '/1.0/storage-pools/{}/volumes/custom/{}/snapshots/{}',
      's1',
    ],
    ['/1.0/something-new/x', '/1.0/…', null],
    ['/.well-known/acme-challenge/token', '/.well-known/…', null],
    ['/nosuch/secret', '/…', null],
    ['/1.0/instances/%zz', '/1.0/instances/…', null],
    ['', '/', null],
  ])('%s', (url, route, object) => {
    expect(readAskedPath(url)).toMatchObject({ route, object })
  })

  test('of the query only known keys stay, and the values of two', () => {
    expect(readAskedPath('/1.0/resources?target=server1&project=web&secret=hidden&hidden=1&recursion=1')).toEqual({
      route: '/1.0/resources',
      path: '/1.0/resources',
      object: null,
      project: 'web',
      placement: 'server1',
      query: ['project', 'recursion', 'secret', 'target'],
    })
  })
})
