import { expect, test } from 'vitest'
import { nameOf, objectOf } from './event-source.ts'

const print = 'ab'.repeat(32)

test.each<[string | null, string | null]>([
  ['/1.0/instances/web-1', 'web-1'],
  ['/1.0/instances/web-1?project=shop', 'web-1'],
  ['/1.0/instances/web-1/snapshots/daily?project=shop', 'daily of web-1'],
  ['/1.0/instances/web-1/backups/b%20one', 'b one of web-1'],
  ['/1.0/instances/web-1/files', 'web-1'],
  ['/1.0/instances/web-1/metadata/templates', 'templates of web-1'],
  ['/1.0/cluster/members/server3', 'server3'],
  ['/1.0/cluster/groups/edge', 'edge'],
  ['/1.0/storage-pools/default', 'default'],
  ['/1.0/storage-pools/default/volumes/custom/data', 'data of default'],
  ['/1.0/storage-pools/default/volumes/custom/data/snapshots/daily', 'daily of data'],
  ['/1.0/storage-pools/default/buckets/logs', 'logs of default'],
  ['/1.0/networks/br0', 'br0'],
  ['/1.0/networks/br0/forwards/10.0.0.1', '10.0.0.1 of br0'],
  [`/1.0/images/${print}`, 'abababababab'],
  [`/1.0/certificates/${print}`, 'abababababab'],
  ['/1.0/projects/shop', 'shop'],
  ['/1.0/instances/%zz', '%zz'],
  ['/1.0', null],
  ['/1.0/cluster', null],
  ['/2.0/instances/web-1', null],
  ['', null],
  [null, null],
])('%s is about %s', (source, name) => {
  const object = objectOf(source)
  expect(object && nameOf(object)).toBe(name)
})
