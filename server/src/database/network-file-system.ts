import { readFile, statfs } from 'node:fs/promises'

/**
 * The name of the network file system a folder is on; undefined when it is on a local one, or when this machine does
 * not say. SQLite's locks and its shared memory do not work over a network (https://sqlite.org/wal.html).
 */
export async function networkFileSystemOf(folder: string): Promise<string | undefined> {
  const { type } = await statfs(folder)
  if (type !== FUSE) return networkFileSystems.get(type)
  // FUSE may be anything, also the local overlay of a container: its name stands in the list of mounts.
  const mounts = await readFile('/proc/self/mountinfo', 'utf8').catch(() => '')
  return networkFuse(fileSystemNameAt(folder, mounts))
}

/** What FUSE file systems that reach over a network are called in the list of mounts. */
export function networkFuse(name: string | undefined): string | undefined {
  return name !== undefined &&
    /^fuse\.(sshfs|glusterfs|s3fs|rclone|ceph|davfs|moosefs|mfs|juicefs|gcsfuse|goofys)/.test(name)
    ? name
    : undefined
}

/** The type of the deepest mount that holds the folder (proc_pid_mountinfo(5)). */
export function fileSystemNameAt(folder: string, mountinfo: string): string | undefined {
  let best: { point: string; name: string } | undefined
  for (const line of mountinfo.split('\n')) {
    const [before = '', after = ''] = line.split(' - ')
    const point = (before.split(' ')[4] ?? '').replaceAll(/\\([0-7]{3})/g, (_, octal: string) =>
      String.fromCharCode(Number.parseInt(octal, 8)),
    )
    const name = after.split(' ')[0]
    if (point === '' || name === undefined || name === '') continue
    const holds = folder === point || folder.startsWith(point.endsWith('/') ? point : `${point}/`)
    if (holds && point.length >= (best?.point.length ?? 0)) best = { point, name }
  }
  return best?.name
}

const FUSE = 0x65735546

/** `f_type` of statfs(2), as Linux numbers them in linux/magic.h. */
const networkFileSystems: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB2'],
  [0x5346414f, 'AFS'],
  [0x6b414653, 'AFS'],
  [0x73757245, 'Coda'],
  [0x00c36400, 'Ceph'],
  [0x01021997, '9P'],
  [0x0bd00bd0, 'Lustre'],
  [0x47504653, 'GPFS'],
  [0x01161970, 'GFS2'],
  [0x7461636f, 'OCFS2'],
  [0x19830326, 'BeeGFS'],
])
