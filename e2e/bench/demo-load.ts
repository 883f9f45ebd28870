// What the demo asks of a console when five people look at it and somebody breaks and mends its servers.

import { randomUUID } from 'node:crypto'
import { Agent } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { listMembers } from '@malleus/shared/api/members.ts'
import { type SignedIn, signIn } from '../support/signed-in.ts'
import type { BenchCluster } from './bench-world.ts'
import { consoleListPath } from './bench-world.ts'
import { readLive } from './live-reader.ts'

export interface LoadCounts {
  reads: number
  /** Requests that were answered otherwise than they should be, by what and how. */
  readonly failures: Map<string, number>
  signIns: number
  evacuations: number
  faults: number
  readonly live: { events: number; reopened: number }
}

/** The load until the signal; `counts` tell what has been done. The promise rejects when something could not be done at all. */
export async function loadAsInDemo(cluster: BenchCluster, counts: LoadCounts, signal: AbortSignal): Promise<void> {
  const agent = new Agent({ keepAlive: true })
  const load = { cluster, counts, signal, agent }
  try {
    await Promise.all([...viewers.map((person) => watch(load, person)), operate(load), breakAndMend(load)])
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    agent.destroy()
  }
}

interface Load {
  readonly cluster: BenchCluster
  readonly counts: LoadCounts
  readonly signal: AbortSignal
  readonly agent: Agent
}

/** Five windows of three people. */
const viewers = ['u-mika', 'u-mika', 'u-jo', 'u-sam', 'u-sam']

/** Read again every so many seconds, as pages do. */
const pages: readonly { readonly path: string; readonly everySeconds: number }[] = [
  { path: consoleListPath, everySeconds: 1 },
  { path: '/api/clusters', everySeconds: 5 },
  { path: '/api/clusters/bench/operations', everySeconds: 5 },
  { path: '/api/clusters/bench/members/server2', everySeconds: 5 },
  { path: '/api/clusters/bench/certificate', everySeconds: 15 },
  { path: '/api/clusters/bench/health-history', everySeconds: 30 },
  { path: '/api/audit', everySeconds: 30 },
]

/** One window: a live stream, its pages, and somebody who is there. Signs in anew every five minutes. */
async function watch(load: Load, person: string): Promise<void> {
  const { counts, signal } = load
  let session = await enter(load, person)
  const stream = readLive(() => session, counts.live, signal)
  for (let second = 1; !signal.aborted; second++) {
    await pause(1_000, undefined, { signal })
    if (second % 300 === 0) {
      await session.ask('/auth/logout', { method: 'POST', body: {} })
      session = await enter(load, person)
    }
    if (second % 60 === 0) await post(load, session, '/api/session/activity', {})
    for (const { path } of pages.filter(({ everySeconds }) => second % everySeconds === 0)) {
      await read(load, session, path)
    }
  }
  await stream
}

/** Half a minute after the last time, a server is evacuated, or restored when it has been. */
async function operate(load: Load): Promise<void> {
  const session = await enter(load, 'u-mika')
  const path = '/api/clusters/bench/members/server5/state'
  for (;;) {
    await pause(30_000, undefined, { signal: load.signal })
    await post(load, session, '/api/session/activity', {})
    const status = statusOf('server5', (await session.ask(consoleListPath, { signal: load.signal })).body)
    const action = status === 'Online' ? 'evacuate' : status === 'Evacuated' ? 'restore' : undefined
    if (action === undefined) continue
    await post(load, session, path, { action, mode: '' })
    load.counts.evacuations += 1
  }
}

/** What the cluster says of a server, in an answer with the list. */
function statusOf(server: string, body: string): string | undefined {
  const { members } = listMembers.reply.parse(JSON.parse(body))
  return members.find(({ name }) => name === server)?.reported.value?.status
}

/** Every minute and a half another server is stuck, refusing or slow for ten seconds. */
async function breakAndMend({ cluster: { world }, counts, signal }: Load): Promise<void> {
  const faults = ['stuck', 'refusing', 'slow'] as const
  for (let turn = 0; ; turn++) {
    await pause(80_000, undefined, { signal })
    const fault = faults[turn % faults.length] ?? 'stuck'
    await world.break('server4', fault)
    counts.faults += 1
    await pause(10_000, undefined, { signal })
    await world.mend('server4')
  }
}

async function enter({ cluster, counts }: Load, person: string): Promise<SignedIn> {
  const session = await signIn({ url: cluster.address.url, provider: cluster.world.provider, person })
  counts.signIns += 1
  return session
}

async function read(load: Load, session: SignedIn, path: string): Promise<void> {
  const { counts, signal, agent } = load
  counts.reads += 1
  const status = await session.ask(path, { agent, signal }).then(
    (reply) => reply.status,
    () => 0,
  )
  // What a person may not see is refused, and that is an answer too.
  if (status !== 200 && status !== 403) noteFailure(load, `GET ${path} ${status}`)
}

async function post(load: Load, session: SignedIn, path: string, body: unknown): Promise<void> {
  const { signal, agent } = load
  const headers = { 'idempotency-key': randomUUID() }
  const status = await session.ask(path, { method: 'POST', body, headers, agent, signal }).then(
    (reply) => reply.status,
    () => 0,
  )
  if (status < 200 || status >= 300) noteFailure(load, `POST ${path} ${status}`)
}

function noteFailure({ counts, signal }: Load, what: string): void {
  if (!signal.aborted) counts.failures.set(what, (counts.failures.get(what) ?? 0) + 1)
}
