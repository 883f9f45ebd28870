import { describe, expect, test } from 'vitest'
import { missingFrom, type Machine } from './machine.ts'

const fit: Machine = { platform: 'linux', uid: 0, filesystems: 'nodev\tsysfs\nnodev\tcgroup2\n', exists: () => true }

describe('a machine', () => {
  test('with Linux, root and the packages will do', () => expect(missingFrom(fit)).toEqual([]))

  test('without the packages will do when it has apt', () => {
    expect(missingFrom({ ...fit, exists: (path) => path === '/usr/bin/apt-get' })).toEqual([])
  })

  test('without the packages and apt says which', () => {
    expect(missingFrom({ ...fit, exists: (path) => !['/usr/bin/apt-get', '/usr/bin/incus'].includes(path) })).toEqual([
      'it has no apt-get to install incus-client with',
    ])
  })

  test('that is not Linux says only that', () => {
    expect(missingFrom({ ...fit, platform: 'darwin', uid: 501, exists: () => false })).toEqual([
      'it needs Linux, this is darwin',
    ])
  })

  test('says everything that is missing at once', () => {
    expect(missingFrom({ ...fit, uid: 1000, filesystems: 'nodev\tcgroup\n' })).toHaveLength(2)
  })
})
