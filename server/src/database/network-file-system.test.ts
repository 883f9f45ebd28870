import { expect, test } from 'vitest'
import { fileSystemNameAt, networkFuse } from './network-file-system.ts'

const mountinfo = [
  '22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw',
  '90 22 0:60 / /srv/remote rw,nosuid - fuse.sshfs host:/srv rw,user_id=0',
  String.raw`91 22 0:61 / /srv/with\040space rw - fuse.fuse-overlayfs fuse-overlayfs rw`,
  '',
].join('\n')

test.each([
  ['/var/lib/malleus', 'ext4'],
  ['/srv/remote', 'fuse.sshfs'],
  ['/srv/remote/var', 'fuse.sshfs'],
  ['/srv/remotely', 'ext4'],
  ['/srv/with space/var', 'fuse.fuse-overlayfs'],
])('%s is on %s', (folder, name) => {
  expect(fileSystemNameAt(folder, mountinfo)).toBe(name)
})

test.each([
  ['fuse.sshfs', 'fuse.sshfs'],
  ['fuse.glusterfs', 'fuse.glusterfs'],
  ['fuse.fuse-overlayfs', undefined],
  ['ext4', undefined],
  [undefined, undefined],
])('of FUSE file systems, %s over a network is %s', (name, network) => {
  expect(networkFuse(name)).toBe(network)
})
