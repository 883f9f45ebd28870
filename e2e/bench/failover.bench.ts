// Every fault against every way to reach a cluster, all in one run: how long until a read succeeds, and how many fail.

import { createHash, X509Certificate } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { createCertificateAuthority } from '@malleus/server/testing/certificate-authority.ts'
import { listMembers } from '@malleus/shared/api/members.ts'
import { startDns, resolveThrough } from '../lab/fronts/dns.ts'
import { type SharedAddress, startEcmp } from '../lab/fronts/ecmp.ts'
import { prepareFronts } from '../lab/fronts/front-packages.ts'
import { listenEverywhere } from '../lab/fronts/front.ts'
import { type Haproxy, startHaproxy } from '../lab/fronts/haproxy.ts'
import { type FloatingAddress, startKeepalived } from '../lab/fronts/keepalived.ts'
import { until } from '../lab/deadline.ts'
import { delayLink, restoreLink } from '../lab/netem.ts'
import type { Lab } from '../lab/running-lab.ts'
import type { Fault } from '../lab/state-directory.ts'
import type { SignedIn } from '../support/signed-in.ts'
import {
  adminToken,
  type BenchCluster,
  consoleListPath,
  memberListPath,
  signInAdmin,
  startBenchCluster,
  startBenchConsole,
} from './bench-world.ts'
import {
  bounds,
  cellOf,
  fronts,
  type Front,
  type FaultRow,
  faultRows,
  healthyRow,
  markdownCells,
  type Row,
  type Sample,
} from './failover-table.ts'
import { readListAnswer } from './list-answer.ts'
import { formatMs, formatRatio } from './markdown.ts'
import { measurement, type Run } from './measurement.ts'
import { profiling } from './profiling.ts'
import { type Read, type Reader, startReader } from './reader.ts'
import type { Report } from './report.ts'
import { median, percentile } from './statistics.ts'
import { takeTurns } from './turns.ts'
import { wantRead } from './wanted-read.ts'

const { values: options } = parseArgs({
  options: {
    tries: { type: 'string', default: '5' },
    rows: { type: 'string', default: faultRows.join(',') },
    profile: { type: 'boolean', default: false },
  },
})
const tries = Number(options.tries)
const rows = faultRows.filter((row) => options.rows.split(',').includes(row))
const memberCount = 3
const name = 'incus.lab.test'
/** Reads that are made before each fault, and after it. */
const beforeMs = 2_500
const afterMs = 5_000
/** A read that has no answer by then has failed, and is wanted no longer. */
const limitMs = 10_000
const againAfterMs = 100
/**
 * Who fails again and again is passed over longer and longer, up to a minute. Here every fault is treated as the first
 * of its member, or most of the time would go by waiting for the next.
 */
const settings = 'health: { ejectionAtMostMs: 5000 }\n'
/** Above these, reads waited for this machine and not for a member. */
const busy = { lagMs: 50, directMs: 100 }

const labFaults: Readonly<Record<FaultRow, Fault>> = {
  killed: 'killed',
  stopped: 'stuck',
  'cut off': 'cut-off',
  slow: 'slow',
  starting: 'starting',
}

await measurement('failover', measureFailover)

async function measureFailover(run: Run): Promise<Report> {
  await prepareFronts((line) => run.say(line))
  const cluster = await startBenchCluster(run, { kind: 'real', members: memberCount, lab: 'failover' })
  if (cluster.kind !== 'real') throw new Error('a real cluster was asked for')
  const { lab } = cluster.world
  const built = await buildFronts(run, lab)
  await startBenchConsole(run, cluster, profiling(options.profile, 'failover'), settings)
  const person = await signInAdmin(cluster)
  const sides = await buildSides(run, cluster, built, person)
  run.say('warming up')
  const baselineMs = await warmUp(sides)
  const samples: Sample[] = []
  const begun = performance.now()
  let delayedBy: 'netem' | 'throttle' = 'throttle'
  for (let count = 0; count < tries * rows.length; count++) {
    const row = rows[count % rows.length] ?? 'stopped'
    const victim = await nextVictim(lab, count)
    await untilWhole(run, cluster, built, person, victim)
    const mend = { now: () => lab.mend(victim) }
    const breaking = async (): Promise<void> => {
      if (row === 'slow' && (await delayLink(lab, victim, delayOf(baselineMs)))) {
        delayedBy = 'netem'
        mend.now = () => restoreLink(lab, victim)
      } else await lab.break(victim, labFaults[row])
    }
    const taken = await oneTry(run, sides, { row, victim, attempt: Math.floor(count / rows.length) }, breaking)
    await mend.now()
    samples.push(...taken)
    run.say(progress(count + 1, row, victim, taken, (performance.now() - begun) / 1000))
  }
  return reportOf(cluster, samples, delayedBy)
}

interface Built {
  readonly haproxy: Haproxy
  readonly floating: FloatingAddress
  readonly shared: SharedAddress
}

/** All on the one cluster: a balancer, a router and a client beside the members, and keepalived and FRR on the members. */
async function buildFronts(run: Run, lab: Lab): Promise<Built> {
  const balancer = await lab.addNeighbour('balancer', 2)
  await lab.addNeighbour('client', 3)
  const router = await lab.addNeighbour('router', 4)
  await listenEverywhere(lab)
  await startDns(lab, 'balancer', name)
  await resolveThrough(lab, 'client', balancer)
  const haproxy = await startHaproxy(lab, 'balancer', balancer)
  const floating = await startKeepalived(lab)
  const shared = await startEcmp(lab, { name: 'router', address: router }, 'client')
  run.say('name server, haproxy, keepalived and FRR are ready')
  return { haproxy, floating, shared }
}

interface Side {
  readonly front: Front
  readonly perSecond: number
  readonly reader: Reader
  /** The read as it is made while this member is the one to be broken. */
  readonly read: (victim: string) => Read
}

async function buildSides(
  run: Run,
  cluster: BenchCluster & { readonly kind: 'real' },
  { haproxy, floating, shared }: Built,
  person: SignedIn,
): Promise<readonly Side[]> {
  const { lab } = cluster.world
  const token = await adminToken(cluster)
  const client = startReader(lab.enter('client'))
  // Starting a program holds its parent up: the clients that are programs have a parent of their own.
  const programs = startReader(lab.enter('client'))
  const beside = startReader()
  for (const reader of [client, programs, beside]) run.defer(() => reader.close())
  const headers = { authorization: `Bearer ${token}` }
  const direct = ({ host, port }: { readonly host: string; readonly port: number }): Read => ({
    kind: 'request',
    host,
    port,
    path: memberListPath,
    headers,
    certificate: cluster.certificate,
  })
  const own = new URL(cluster.address.url)
  const victimAt = (victim: string): { host: string; port: number } => {
    const { host = '', port = 0 } = cluster.members.find((member) => member.name === victim) ?? {}
    return { host, port }
  }
  const curl = await curlRead(cluster, token)
  const incus = await incusRead(cluster)
  const reads: Readonly<Record<Front, Omit<Side, 'front'>>> = {
    direct: { perSecond: 5, reader: client, read: (victim) => direct(victimAt(victim)) },
    'DNS, curl': { perSecond: 5, reader: programs, read: () => curl },
    'DNS, incus': { perSecond: 2, reader: programs, read: () => incus },
    'haproxy, TCP check': { perSecond: 10, reader: client, read: () => direct(haproxy.entrances.tcp) },
    'haproxy, HTTP check': { perSecond: 10, reader: client, read: () => direct(haproxy.entrances.http) },
    keepalived: { perSecond: 10, reader: client, read: () => direct(floating) },
    'ECMP with BFD': { perSecond: 10, reader: client, read: () => direct(shared) },
    Malleus: {
      perSecond: 20,
      reader: beside,
      read: () => ({
        kind: 'request',
        host: own.hostname,
        port: Number(own.port),
        path: consoleListPath,
        headers: person.headers,
      }),
    },
  }
  return fronts.map((front) => ({ front, ...reads[front] }))
}

/** curl as somebody writes it into a script. The cluster's certificate names one member, so that its key is what is compared. */
async function curlRead({ folder, certificate }: BenchCluster, token: string): Promise<Read> {
  const file = join(folder, 'curl-headers')
  await writeFile(file, `Authorization: Bearer ${token}\n`, { mode: 0o600 })
  const key = new X509Certificate(certificate).publicKey.export({ type: 'spki', format: 'der' })
  const pin = `sha256//${createHash('sha256').update(key).digest('base64')}`
  const url = `https://${name}:8443${memberListPath}`
  const argv = ['curl', '--silent', '--fail', '--insecure', '--pinnedpubkey', pin, '--header', `@${file}`, url]
  return { kind: 'command', argv, environment: { PATH: '/usr/bin:/bin' } }
}

/** The incus client with a remote of that name. */
async function incusRead({ folder, certificate, ...cluster }: BenchCluster & { readonly kind: 'real' }): Promise<Read> {
  const { lab } = cluster.world
  const home = join(folder, 'incus')
  await mkdir(join(home, 'servercerts'), { recursive: true })
  const remote = `remotes:\n  lab:\n    addr: https://${name}:8443\n    protocol: incus\n    auth_type: tls\n    public: false\n`
  await writeFile(join(home, 'config.yml'), `default-remote: lab\n${remote}`)
  await writeFile(join(home, 'servercerts', 'lab.crt'), certificate)
  const argv = ['incus', 'query', '--raw', `lab:${memberListPath}`]
  const environment = { PATH: '/usr/bin:/bin', HOME: home, INCUS_CONF: home }
  const pair = createCertificateAuthority('bench').issue({ commonName: 'bench', names: [], usages: ['client'] })
  await writeFile(join(home, 'client.crt'), pair.certificate)
  await writeFile(join(home, 'client.key'), pair.key, { mode: 0o600 })
  await lab.incus(['config', 'trust', 'add-certificate', join(home, 'client.crt')])
  return { kind: 'command', argv, environment }
}

/** Every side has to work before anything is measured. Gives the median of what a direct read takes. */
async function warmUp(sides: readonly Side[]): Promise<number> {
  const direct: number[] = []
  for (const { front, reader, read } of sides) {
    for (let count = 0; count < 10; count++) {
      const outcome = await reader.read(read('server1'), limitMs)
      if (readListAnswer(outcome, memberCount) === 'none') {
        const said = outcome.kind === 'failed' ? outcome.why : `${outcome.status} ${outcome.body.slice(0, 300)}`
        throw new Error(`${front} does not work before anything is broken: ${said}`)
      }
      if (front === 'direct') direct.push(outcome.ms)
    }
  }
  return percentile(direct, 0.5)
}

/** With three round trips in a read over a new connection, ten times as long. */
function delayOf(baselineMs: number): number {
  return Math.max(1, Math.round((9 * baselineMs) / 3))
}

/** Members that do not lead the database, in turns: without its leader the whole cluster stands still, however it is reached. */
async function nextVictim(lab: Lab, count: number): Promise<string> {
  const leader = await lab.leader()
  const others = lab.members.map((member) => member.name).filter((member) => member !== leader)
  const victim = others[count % others.length]
  if (victim === undefined) throw new Error('every member leads the database')
  return victim
}

/** Everybody holds every member for well, and the victim has the floating address: the worst choice for it. */
async function untilWhole(
  run: Run,
  { world }: BenchCluster & { readonly kind: 'real' },
  { haproxy, floating, shared }: Built,
  person: SignedIn,
  victim: string,
): Promise<void> {
  for (const member of world.lab.members) await world.lab.untilReported(member.name, 'Online')
  await floating.moveTo(victim)
  const whole = async (): Promise<true | undefined> => {
    run.signal.throwIfAborted()
    return (await haproxy.allUp()) && (await shared.allAnnounced()) && (await isAllHealthy(person)) ? true : undefined
  }
  await until('everything being well again', 120_000, whole, 200)
}

async function isAllHealthy(person: SignedIn): Promise<boolean> {
  const { body } = await person.ask(consoleListPath)
  const { members } = listMembers.reply.parse(JSON.parse(body))
  return members.length === memberCount && members.every(({ health }) => health.standing === 'healthy')
}

interface Try {
  readonly row: FaultRow
  readonly victim: string
  readonly attempt: number
}

/** Reads on all sides before, during and after the moment of the fault; resolves when the last is answered or given up. */
async function oneTry(
  run: Run,
  sides: readonly Side[],
  { row, victim, attempt }: Try,
  breaking: () => Promise<void>,
): Promise<readonly Sample[]> {
  const begun = performance.now()
  let brokenAt = Infinity
  const wanted: Promise<Sample>[] = []
  const broken = pause(beforeMs, undefined, { signal: run.signal }).then(() => {
    brokenAt = performance.now()
    return breaking()
  })
  for (const { side, dueAt } of takeTurns(sides, beforeMs + afterMs)) {
    const waitMs = begun + dueAt - performance.now()
    if (waitMs > 0) await pause(waitMs, undefined, { signal: run.signal })
    run.signal.throwIfAborted()
    const wantedAt = performance.now()
    const about = { attempt, front: side.front, at: dueAt - beforeMs, lagMs: wantedAt - begun - dueAt }
    wanted.push(
      want(side, victim).then(({ ms, answered, failed, answer }) => {
        // What was over when the fault came had nothing to do with it.
        const met: Row = wantedAt + ms < brokenAt ? healthyRow : row
        return { ...about, row: met, ms, answered, failed, answer }
      }),
    )
  }
  const [samples] = await Promise.all([Promise.all(wanted), broken])
  return samples
}

async function want(side: Side, victim: string): Promise<Pick<Sample, 'ms' | 'answered' | 'failed' | 'answer'>> {
  let [answer, spentMs]: [Sample['answer'], number] = ['none', 0]
  const wanted = await wantRead(
    async (patienceMs) => {
      const outcome = await side.reader.read(side.read(victim), patienceMs)
      answer = readListAnswer(outcome, memberCount)
      spentMs += outcome.ms
      return { answered: answer !== 'none' }
    },
    { patienceMs: limitMs, limitMs, againAfterMs, now: () => performance.now(), pause },
  )
  // The reader's own clock, so that what this process was late with is not counted.
  const ms = spentMs + (wanted.attempts - 1) * againAfterMs
  return { ...wanted, ms, answer }
}

function progress(count: number, row: FaultRow, victim: string, taken: readonly Sample[], seconds: number): string {
  const own = taken.filter((sample) => sample.front === 'Malleus' && sample.row === row)
  const worst = formatMs(Math.max(...own.map(({ ms }) => ms)))
  const failed = own.filter((sample) => sample.failed).length
  const head = `${count}/${tries * rows.length} ${row} (${victim})`
  return `${head}: Malleus at worst ${worst}, ${failed} failed; ${Math.round(seconds)} s`
}

function medianOf(samples: readonly Sample[], row: Row): number {
  const own = samples.filter((sample) => sample.row === row && sample.front === 'direct')
  return median(own.map(({ ms }) => ms))
}

function reportOf({ world }: BenchCluster, samples: readonly Sample[], delayedBy: 'netem' | 'throttle'): Report {
  const lagMs = percentile(
    samples.map((sample) => sample.lagMs),
    0.99,
  )
  const slow =
    delayedBy === 'netem'
      ? 'slow: netem delays what the member sends so that a direct read takes ten times as long.'
      : `slow: this kernel has no netem, so the process is stopped for 120 ms and runs for 4 ms, in turns; a direct read took ${formatRatio(medianOf(samples, 'slow'), medianOf(samples, healthyRow))} as long.`
  const own = samples.filter(({ front }) => front === 'Malleus')
  const directMs = cellOf(samples, healthyRow, 'direct').p99
  const shown: readonly Row[] = [healthyRow, ...rows]
  return {
    title: 'Failover: how long until a read succeeds',
    conditions: [
      `The list of servers, against ${world.description}, ${tries} tries of each fault in turns. In each try all sides read at a steady rate for ${beforeMs / 1000} s before and ${afterMs / 1000} s after the moment of the fault: ${fronts.length} sides, 2 to 20 reads a second each. Every read has a connection of its own.`,
      `A cell is the time until a read succeeds, p99 and worst, from when it was wanted: who gets an error tries again after ${againAfterMs} ms, and after ${limitMs / 1000} s it is given up. What was not over when the fault came belongs to the fault. After the times, how many reads failed at the first attempt, of how many.`,
      'The victim does not lead the database. It is the member that `direct` asks, and holds the floating address. Before each try every side holds every member for well; so that this takes seconds, the console passes over a member that failed for 5 s each time, as it does the first time, and not longer and longer.',
      `killed: SIGKILL. stopped: SIGSTOP. cut off: its link is down. ${slow} starting: in its place a listener with the cluster's certificate that completes TLS and answers nothing.`,
      'DNS round-robin: dnsmasq turns three addresses; curl and the incus client take them as they are written, without time limits of their own, each a new process.',
      'haproxy: TCP mode, checks each second, ill after two, connections to an ill member are cut. The TCP check connects, the HTTP check asks for /1.0 over TLS.',
      'keepalived: advertisements and checks of the API each second, two failed ones give the address up. ECMP: FRR, BGP with BFD (3 × 100 ms), the route is withdrawn when the API does not answer within 1 s, asked twice a second.',
      `Reads were sent on time whatever became of those before (99 of 100 at most ${formatMs(lagMs)} late), and a direct read of a healthy member took ${formatMs(directMs)} (p99): above ${busy.lagMs} or ${busy.directMs} ms the machine was too busy to tell. ${own.filter(({ answer }) => answer === 'stale').length} of ${own.length} answers of Malleus were marked as stale.`,
    ],
    tables: [
      {
        head: ['fault', ...fronts],
        rows: shown.map((row) => [row, ...fronts.map((front) => markdownCells(samples, row, front))]),
      },
    ],
    bounds: bounds(samples, rows, lagMs <= busy.lagMs && directMs <= busy.directMs),
    data: {
      delayedBy,
      samples: samples.map(({ row, attempt, front, at, ms, answered, failed, answer }) => [
        row,
        attempt,
        front,
        Math.round(at),
        Math.round(ms * 100) / 100,
        answered,
        failed,
        answer,
      ]),
    },
  }
}
