// Lists of the whole cluster while a member that holds part of them does not answer: what a member that is well answers
// only when it has waited for the other one, beside the same lists through the console.

import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { z } from 'zod'
import { listInstances } from '@malleus/shared/api/instances.ts'
import { listMembers } from '@malleus/shared/api/members.ts'
import { listOperations } from '@malleus/shared/api/operations.ts'
import { until } from '../lab/deadline.ts'
import type { Lab } from '../lab/running-lab.ts'
import type { SignedIn } from '../support/signed-in.ts'
import {
  adminToken,
  type BenchCluster,
  consoleListPath,
  signInAdmin,
  startBenchCluster,
  startBenchConsole,
} from './bench-world.ts'
import { formatMs, formatRatio } from './markdown.ts'
import { measurement, type Run } from './measurement.ts'
import { type Reader, startReader } from './reader.ts'
import type { Bound, Report } from './report.ts'
import { maximum, median, minimum, percentile } from './statistics.ts'
import type { Outcome } from './timed-read.ts'

const { values: options } = parseArgs({ options: { tries: { type: 'string', default: '5' } } })
const tries = Number(options.tries)
const lists = ['instances', 'operations'] as const
type List = (typeof lists)[number]
/** Longer than Incus itself waits for a member that it believes to be there. */
const directPatienceMs = 40_000
const consolePatienceMs = 10_000
const consoleReads = 100
const perSecond = 20
/** A direct call that was quicker did not hang, and shows nothing. */
const hungMs = 5_000

const Started = z.object({ id: z.string() })

/** Whether an answer of the console has what the victim holds. */
const isWhole: Readonly<Record<List, (status: number, body: string, victim: string, operation: string) => boolean>> = {
  instances: (status, body, victim) =>
    status === 200 &&
    listInstances.reply.parse(JSON.parse(body)).instances.some(({ name }) => name === instanceOn(victim)),
  operations: (status, body, _victim, operation) =>
    status === 200 &&
    listOperations.reply
      .parse(JSON.parse(body))
      .operations.some(({ id, status: at }) => id === operation && at === 'running'),
}

await measurement('hung-list', measureHungList)

async function measureHungList(run: Run): Promise<Report> {
  const cluster = await startBenchCluster(run, { kind: 'real', members: 3, lab: 'hung-list' })
  if (cluster.kind !== 'real') throw new Error('a real cluster was asked for')
  const { lab } = cluster.world
  for (const { name } of lab.members) await lab.launch(instanceOn(name), { target: name })
  await startBenchConsole(run, cluster)
  const person = await signInAdmin(cluster)
  const token = await adminToken(cluster)
  const reader = startReader()
  run.defer(() => reader.close())
  const samples: Sample[] = []
  for (let attempt = 0; attempt < tries; attempt++) {
    const leader = await lab.leader()
    const others = lab.members.map(({ name }) => name).filter((name) => name !== leader)
    const victim = others[attempt % others.length] ?? leader
    const operation = await startWork(lab, victim)
    await untilKnown(run, person, victim, operation)
    samples.push(await oneTry(run, { cluster, reader, person, token, victim, via: leader, operation }))
    run.say(`${attempt + 1}/${tries} ${describe(samples.at(-1))}`)
    for (const { name } of lab.members) await lab.untilReported(name, 'Online')
  }
  return reportOf(cluster.world.description, samples)
}

function instanceOn(member: string): string {
  return `web-${member}`
}

/** Runs a command in the instance of this member that is still at work when everything here is over; gives its operation. */
async function startWork(lab: Lab, member: string): Promise<string> {
  const body = { command: ['sleep', '3600'], 'wait-for-websocket': false, interactive: false }
  const path = `/1.0/instances/${instanceOn(member)}/exec`
  const said = await lab.incus(['query', '--request', 'POST', '--data', JSON.stringify(body), path])
  return Started.parse(JSON.parse(said)).id
}

/** The console has seen what there is, as that of somebody who looked at it before. */
async function untilKnown(run: Run, person: SignedIn, victim: string, operation: string): Promise<void> {
  await until('the console knowing the instances, the operation and that all is well', 60_000, async () => {
    run.signal.throwIfAborted()
    const { body } = await person.ask(consoleListPath)
    const { members } = listMembers.reply.parse(JSON.parse(body))
    if (members.length < 3 || members.some(({ health }) => health.standing !== 'healthy')) return undefined
    for (const list of lists) {
      const { status, body: text } = await person.ask(pathOf(list))
      if (!isWhole[list](status, text, victim, operation)) return undefined
    }
    return true
  })
}

function pathOf(list: List): string {
  return `/api/clusters/bench/${list}`
}

interface Sample {
  readonly victim: string
  readonly direct: Readonly<Record<List, { readonly ms: number; readonly how: string }>>
  readonly console: readonly {
    readonly list: List
    readonly ms: number
    readonly whole: boolean
    readonly lagMs: number
  }[]
}

interface Try {
  readonly cluster: BenchCluster & { readonly kind: 'real' }
  readonly reader: Reader
  readonly person: SignedIn
  readonly token: string
  readonly victim: string
  /** The member that is asked directly. */
  readonly via: string
  readonly operation: string
}

async function oneTry(run: Run, { cluster, reader, person, token, victim, via, operation }: Try): Promise<Sample> {
  const { host = '', port = 0 } = cluster.members.find(({ name }) => name === via) ?? {}
  const { certificate } = cluster
  const headers = { authorization: `Bearer ${token}` }
  await cluster.world.lab.break(victim, 'stuck')
  const directly = async (list: List): Promise<{ ms: number; how: string }> => {
    const read = { kind: 'request', host, port, path: `/1.0/${list}?recursion=1`, headers, certificate } as const
    const outcome = await reader.read(read, directPatienceMs)
    return { ms: outcome.ms, how: outcome.kind === 'failed' ? outcome.why : `${outcome.status}` }
  }
  const both = Promise.all([directly('instances'), directly('operations')])
  const console = await readConsole(
    run,
    reader,
    person,
    (list, outcome) => outcome.kind === 'answered' && isWhole[list](outcome.status, outcome.body, victim, operation),
  )
  const [instances, operations] = await both
  await cluster.world.lab.mend(victim)
  return { victim, direct: { instances, operations }, console }
}

async function readConsole(
  run: Run,
  reader: Reader,
  person: SignedIn,
  judge: (list: List, outcome: Outcome) => boolean,
): Promise<Sample['console']> {
  const { hostname: host, port } = new URL(person.url)
  const begun = performance.now()
  const taken: Promise<Sample['console'][number]>[] = []
  for (let count = 0; count < consoleReads; count++) {
    const dueAt = (count * 1_000) / perSecond
    const waitMs = begun + dueAt - performance.now()
    if (waitMs > 0) await pause(waitMs, undefined, { signal: run.signal })
    run.signal.throwIfAborted()
    const lagMs = performance.now() - begun - dueAt
    const list = lists[count % lists.length] ?? 'instances'
    const read = { kind: 'request', host, port: Number(port), path: pathOf(list), headers: person.headers } as const
    taken.push(
      reader
        .read(read, consolePatienceMs)
        .then((outcome) => ({ list, ms: outcome.ms, whole: judge(list, outcome), lagMs })),
    )
  }
  return await Promise.all(taken)
}

function describe(sample: Sample | undefined): string {
  if (sample === undefined) return ''
  const direct = lists.map((list) => `${list} ${formatMs(sample.direct[list].ms)} (${sample.direct[list].how})`)
  return `${sample.victim}: direct ${direct.join(', ')}; console at worst ${formatMs(maximum(sample.console.map(({ ms }) => ms)))}`
}

function reportOf(description: string, samples: readonly Sample[]): Report {
  const all = samples.flatMap(({ console }) => console)
  const lagMs = percentile(
    all.map((read) => read.lagMs),
    0.99,
  )
  const bounds = lists.flatMap((list) => boundsOf(list, samples, lagMs <= 50))
  const rows = lists.flatMap((list) => {
    const direct = samples.map((sample) => sample.direct[list].ms)
    const own = all.filter((read) => read.list === list)
    const ms = own.map((read) => read.ms)
    const lacking = own.filter(({ whole }) => !whole).length
    const ways = [...new Set(samples.map((sample) => sample.direct[list].how))].join(', ')
    return [
      [
        `${list}, direct`,
        `${direct.length}`,
        ...[minimum(direct), median(direct), maximum(direct)].map(formatMs),
        ways,
      ],
      [
        `${list}, Malleus`,
        `${ms.length}`,
        ...[median(ms), percentile(ms, 0.99), maximum(ms)].map(formatMs),
        `${lacking} not whole`,
      ],
    ]
  })
  return {
    title: 'Lists while a member hangs',
    conditions: [
      `${description}, an instance on each. ${samples.length} tries: a member that does not lead the database, with an instance and a running operation, is stopped with SIGSTOP.`,
      `direct: the list with \`recursion=1\` from the member that leads, asked once as soon as the other is stopped, with ${directPatienceMs / 1000} s of patience: least, median and most.`,
      `Malleus: each list ${perSecond / 2} times a second from that moment on, on connections of their own: median, p99 and most. Whole is an answer with what the stopped member holds. Reads were sent at most ${formatMs(lagMs)} late (p99).`,
    ],
    tables: [{ head: ['list', 'reads', 'least / median', 'median / p99', 'most', 'answers'], rows }],
    bounds,
    data: { samples },
  }
}

function boundsOf(list: List, samples: readonly Sample[], onTime: boolean): Bound[] {
  const own = samples.flatMap(({ console }) => console.filter((read) => read.list === list))
  const p99 = percentile(
    own.map(({ ms }) => ms),
    0.99,
  )
  const direct = minimum(samples.map((sample) => sample.direct[list].ms))
  const lacking = own.filter(({ whole }) => !whole).length
  const verdict = (kept: boolean): Bound['verdict'] => (onTime ? (kept ? 'kept' : 'missed') : 'undecided')
  return [
    { claim: `${list}: p99 through Malleus ≤ 300 ms`, measured: formatMs(p99), verdict: verdict(p99 <= 300) },
    {
      claim: `${list}: every answer is whole`,
      measured: `${lacking} of ${own.length} are not`,
      verdict: lacking === 0 ? 'kept' : 'missed',
    },
    {
      claim: `${list}: at least 100 times better than the direct call, which hangs`,
      measured: direct < hungMs ? `the direct call took ${formatMs(direct)}` : formatRatio(direct, p99),
      verdict: direct < hungMs ? 'undecided' : verdict(direct / p99 >= 100),
    },
  ]
}
