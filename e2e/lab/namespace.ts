// A member of the lab is a small machine of its own: a network, a view of the file system, and a branch of the
// cgroup tree. The three are held by files, so that they outlast the processes in them: a daemon that was killed
// comes back to the mounts, the addresses and the containers it left.
//
// Every process the lab starts lives in the lab's cgroup. So ending a lab is one write to `cgroup.kill`, and can
// neither miss a container nor reach a process that is not the lab's.

import { spawn } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { plainEnvironment, run } from './command.ts'
import { until } from './deadline.ts'
import { identify, type ProcessIdentity } from './process-identity.ts'

/** Where a lab keeps its namespaces: `namespaces` is a private mount, `cgroup` the lab's own view of the cgroup tree. */
export interface NamespaceRoom {
  readonly namespaces: string
  readonly cgroup: string
  /** The lab's branch, a folder directly under the root of the tree. */
  readonly branch: string
}

export interface NamespaceAddress {
  readonly name: string
  readonly address: string
  /** Length of the network prefix is 24; this is the default gateway. */
  readonly gateway: string
}

/** Mounts what the namespaces need to be held by. */
export async function openRoom(room: NamespaceRoom): Promise<void> {
  await mkdir(room.namespaces, { recursive: true })
  await mkdir(room.cgroup, { recursive: true })
  // A mount namespace can only be held by a file on a private mount, see unshare(1).
  await run(['mount', '--bind', room.namespaces, room.namespaces])
  await run(['mount', '--make-private', room.namespaces])
  await run(['mount', '-t', 'cgroup2', 'cgroup2', room.cgroup])
  await mkdir(branchOf(room), { recursive: true })
  offerControllers(room.cgroup)
  offerControllers(branchOf(room))
}

/** Makes the network of a namespace, empty but for `lo`. Its end of a veth pair can then be moved to `networkFile`. */
export async function createNetwork(room: NamespaceRoom, name: string): Promise<void> {
  writeFileSync(networkFile(room, name), '')
  await run(['unshare', `--net=${networkFile(room, name)}`, 'true'])
}

/** Gives `eth0` its address, and makes the mounts and the cgroup branch that go with the network. */
export async function furnish(room: NamespaceRoom, at: NamespaceAddress): Promise<void> {
  const branch = join(branchOf(room), at.name)
  for (const leaf of leaves) await mkdir(join(branch, leaf), { recursive: true })
  offerControllers(branch)
  writeFileSync(file(room, at.name, 'mnt'), '')
  const addresses = [
    'link set lo up',
    `addr add ${at.address}/24 dev eth0`,
    'link set eth0 up',
    `route add default via ${at.gateway}`,
  ]
  // Unprivileged containers start only with a fresh sysfs, and the unified cgroup tree in its usual place. A cgroup
  // namespace would not do: LXC takes its root from process 1, which stays outside.
  const inside =
    'ip -batch - && mount -t sysfs sysfs /sys && mount --bind "$1" /sys/fs/cgroup && mount -t tmpfs tmpfs /run/lock'
  await run(
    [
      'nsenter',
      `--net=${networkFile(room, at.name)}`,
      'unshare',
      `--mount=${file(room, at.name, 'mnt')}`,
      '--propagation',
      'slave',
      'sh',
      '-ec',
      inside,
      'sh',
      branch,
    ],
    { input: addresses.join('\n') + '\n' },
  )
}

/** The words before a command that make it run inside a namespace, as root. */
export function enter(room: NamespaceRoom, name: string): [string, ...string[]] {
  return ['nsenter', `--net=${networkFile(room, name)}`, `--mount=${file(room, name, 'mnt')}`, '--']
}

export interface SpawnOptions {
  /** Both standard output and standard error are appended to this file. */
  readonly log: string
  /** Added to `plainEnvironment`. */
  readonly environment?: Readonly<Record<string, string>>
  /** Where in the member's branch the process belongs. Default: `daemon`. */
  readonly leaf?: Leaf
}

/** The daemon and what it starts; the processes that carry out a fault; and what makes the machine part of a front, which a fault of the daemon leaves alone. */
const leaves = ['daemon', 'faults', 'front'] as const
type Leaf = (typeof leaves)[number]

/** Starts a program in a namespace, to live on after this process has ended. */
export function spawnInside(
  room: NamespaceRoom,
  name: string,
  argv: readonly string[],
  options: SpawnOptions,
): ProcessIdentity {
  return spawnInBranch(join(branchOf(room), name, options.leaf ?? 'daemon'), [...enter(room, name), ...argv], options)
}

/** Ends everything in one leaf of a member's branch. */
export async function endLeaf(room: NamespaceRoom, name: string, leaf: Leaf): Promise<void> {
  const path = join(branchOf(room), name, leaf)
  writeFileSync(join(path, 'cgroup.kill'), '1')
  await until(`the end of the processes in ${path}`, 10_000, () =>
    readFileSync(join(path, 'cgroup.events'), 'utf8').includes('populated 0') ? true : undefined,
  )
}

/** Starts a program of the lab on the host itself: in the lab's cgroup, but with the host's network and file system. */
export function spawnOnHost(room: NamespaceRoom, argv: readonly string[], options: SpawnOptions): ProcessIdentity {
  const branch = join(branchOf(room), 'host')
  mkdirSync(branch, { recursive: true })
  return spawnInBranch(branch, argv, options)
}

function spawnInBranch(branch: string, argv: readonly string[], options: SpawnOptions): ProcessIdentity {
  const log = openSync(options.log, 'a', 0o600)
  // The shell, nsenter and the program replace one another, so the pid of the first is the pid of the last.
  const child = spawn('sh', ['-ec', 'echo $$ > "$1"; shift; exec "$@"', 'sh', join(branch, 'cgroup.procs'), ...argv], {
    cwd: '/',
    detached: true,
    env: { ...plainEnvironment, ...options.environment },
    stdio: ['ignore', log, log],
  })
  closeSync(log)
  child.unref()
  const identity = child.pid === undefined ? undefined : identify(child.pid)
  if (identity === undefined) throw new Error(`${argv.join(' ')} did not start; see ${options.log}`)
  return identity
}

/** Ends every process in the lab's branch, containers included, removes the branch and gives the mounts back. Does nothing where there is nothing. */
export async function closeRoom(room: NamespaceRoom): Promise<void> {
  // The lab's own view of the tree may be gone, or not yet made. So the script looks through one of its own, which is
  // in a mount namespace that ends with it.
  await run(['unshare', '--mount', '--propagation', 'private', 'sh', '-ec', removeBranch, 'sh', room.branch])
  for (const mount of [...(await mountsBelow(room.namespaces)), ...(await mountsBelow(room.cgroup))]) {
    await run(['umount', mount])
  }
}

const removeBranch = `
mount -t cgroup2 cgroup2 /sys/fs/cgroup
branch=/sys/fs/cgroup/$1
[ -d "$branch" ] || exit 0
echo 1 > "$branch/cgroup.kill"
tries=0
while grep -q 'populated 1' "$branch/cgroup.events"; do
  tries=$((tries + 1))
  [ "$tries" -lt 1000 ]
  sleep 0.01
done
find "$branch" -depth -type d -exec rmdir {} ';'
`

/** Is the room as `openRoom` and `createNetwork` left it? It goes with a restart of the machine. */
export async function roomStands(room: NamespaceRoom, name: string): Promise<boolean> {
  return existsSync(branchOf(room)) && (await mountsBelow(room.namespaces)).includes(networkFile(room, name))
}

export function networkFile(room: NamespaceRoom, name: string): string {
  return file(room, name, 'net')
}

function file(room: NamespaceRoom, name: string, kind: 'net' | 'mnt'): string {
  return join(room.namespaces, `${name}.${kind}`)
}

function branchOf(room: NamespaceRoom): string {
  return join(room.cgroup, room.branch)
}

/** Passes the machine's controllers on, where it has them in this tree, so that limits and metrics of containers work. Where they are in the older trees there is nothing to pass on. */
function offerControllers(branch: string): void {
  for (const controller of ['cpu', 'memory', 'pids', 'io']) {
    try {
      writeFileSync(join(branch, 'cgroup.subtree_control'), `+${controller}`)
    } catch {
      // Not offered by the parent.
    }
  }
}

/** Every mount at or below a path, the latest first. */
async function mountsBelow(path: string): Promise<string[]> {
  const table = await readFile('/proc/self/mountinfo', 'utf8')
  return table
    .split('\n')
    .map((line) =>
      (line.split(' ')[4] ?? '').replaceAll(/\\(\d{3})/g, (_, octal: string) =>
        String.fromCharCode(Number.parseInt(octal, 8)),
      ),
    )
    .filter((mount) => mount === path || mount.startsWith(path + '/'))
    .toReversed()
}
