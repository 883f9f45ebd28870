// A root file system of one program, so that a container is there in half a second and a megabyte.

import { chmod, copyFile, mkdir, symlink, writeFile } from 'node:fs/promises'
import { arch } from 'node:os'
import { join } from 'node:path'
import { run } from './command.ts'

/** The alias of the lab's image. */
export const imageAlias = 'busybox'

/** Debian's busybox-static. */
export const busybox = '/bin/busybox'

/** Writes the image into `folder` and returns the path of its tar file. */
export async function writeImage(folder: string): Promise<string> {
  const root = join(folder, 'rootfs')
  for (const path of ['bin', 'sbin', 'etc', 'proc', 'sys', 'dev', 'tmp', 'root', 'run', 'var/log'])
    await mkdir(join(root, path), { recursive: true })
  await copyFile(busybox, join(root, 'bin/busybox'))
  await chmod(join(root, 'bin/busybox'), 0o755)
  const applets = (await run([busybox, '--list'])).split('\n').filter((name) => name !== '' && name !== 'busybox')
  for (const name of applets) await symlink('/bin/busybox', join(root, 'bin', name))
  await writeFile(join(root, 'sbin/init'), init, { mode: 0o755 })
  await writeFile(join(root, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\n')
  await writeFile(join(root, 'etc/group'), 'root:x:0:\n')
  await writeFile(join(folder, 'metadata.yaml'), metadata())
  const tar = join(folder, 'image.tar.gz')
  await run(['tar', '-C', folder, '--owner=0', '--group=0', '--numeric-owner', '-czf', tar, 'metadata.yaml', 'rootfs'])
  return tar
}

// Incus stops a container with SIGPWR. busybox's own init would take two seconds over it.
const init = `#!/bin/sh
trap 'exit 0' PWR TERM INT
while :; do
  sleep 86400 &
  wait $!
done
`

function metadata(): string {
  const architectures: Readonly<Record<string, string>> = { x64: 'x86_64', arm64: 'aarch64' }
  const architecture = architectures[arch()] ?? arch()
  return `architecture: ${architecture}
creation_date: 1767225600
properties:
  os: busybox
  description: busybox of the lab
  architecture: ${architecture}
`
}
