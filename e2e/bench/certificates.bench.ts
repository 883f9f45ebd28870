// Two promises about the certificate of a cluster: a server that presents an old one is seen within one round of probes
// with connections of their own, however many there are; and a replacement is watched to its end soon after Incus
// answered, without one failed request.

import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { createCertificateAuthority, selfSigned } from '@malleus/server/testing/certificate-authority.ts'
import { getReplacement } from '@malleus/shared/api/certificate-replacement.ts'
import { listMembers } from '@malleus/shared/api/members.ts'
import { until } from '../lab/deadline.ts'
import type { SignedIn } from '../support/signed-in.ts'
import { readSteadily } from '../support/read-through-fault.ts'
import { consoleListPath, signInAdmin, startBenchCluster, startBenchConsole } from './bench-world.ts'
import { formatMs } from './markdown.ts'
import { measurement, type Run } from './measurement.ts'
import { startReader } from './reader.ts'
import type { Report } from './report.ts'
import { maximum, median } from './statistics.ts'

const { values: options } = parseArgs({
  options: { tries: { type: 'string', default: '10' }, replacements: { type: 'string', default: '5' } },
})
const tries = Number(options.tries)
const replacements = Number(options.replacements)
const manyMembers = 50
const perSecond = 50
const mostDriftMs = 10_000
const mostWatchMs = 5_000
const certificatePath = '/api/clusters/bench/certificate'

await measurement('certificates', async (run) => {
  const drift = await measureDrift(run)
  const replaced = await measureReplacements(run)
  return reportOf(drift, replaced)
})

/** Milliseconds from when a server presents the old certificate until the console says so, for each try. */
async function measureDrift(run: Run): Promise<readonly number[]> {
  const cluster = await startBenchCluster(run, { kind: 'stand-in', members: manyMembers, instances: 0 })
  if (cluster.kind !== 'stand-in') throw new Error('members of our own were asked for')
  const { cluster: members } = cluster.world
  const console = await startBenchConsole(run, cluster)
  const person = await signInAdmin(cluster)
  await untilHealthy(run, person, manyMembers)
  // One stays behind for good, so that the old certificate is not refused but old.
  const old = { ...members.state.certificate }
  const fresh = selfSigned({ commonName: 'fresh', names: ['localhost', '127.0.0.1'] })
  members.leaveBehind('server50', old)
  members.replaceCertificate(fresh)
  await until('the server that was left behind being told', 60_000, () => isOld(run, person, 'server50'))
  // Whoever was seen before the new one had arrived everywhere is not old yet.
  await pause(15_000, undefined, { signal: run.signal })
  const taken: number[] = []
  for (let attempt = 0; attempt < tries; attempt++) {
    const name = `server${1 + ((attempt * 7) % (manyMembers - 1))}`
    const begun = performance.now()
    members.leaveBehind(name, old)
    await until(`${name} being told`, 30_000, () => isOld(run, person, name), 20)
    taken.push(performance.now() - begun)
    run.say(`drift ${attempt + 1}/${tries}: ${formatMs(taken.at(-1) ?? 0)}`)
    members.catchUp(name)
    await until(`${name} being well`, 60_000, async () =>
      (await isOld(run, person, name)) === undefined ? true : undefined,
    )
  }
  await console.stop()
  return taken
}

interface Replaced {
  /** From Incus's answer to the verdict. */
  readonly watchedMs: number
  readonly reads: number
  readonly failures: readonly string[]
}

const mostRefused = 5

async function measureReplacements(run: Run): Promise<readonly Replaced[]> {
  const cluster = await startBenchCluster(run, { kind: 'real', members: 3, lab: 'certificates' })
  await startBenchConsole(run, cluster)
  const person = await signInAdmin(cluster)
  const reader = startReader()
  run.defer(() => reader.close())
  const authority = createCertificateAuthority('Authority of the measurement')
  const names = ['incus.example.net', ...cluster.members.map(({ host }) => host)]
  const all: Replaced[] = []
  let refused = 0
  while (all.length < replacements) {
    await untilHealthy(run, person, 3)
    const { certificate, key } = authority.issue({ commonName: 'incus.example.net', names, usages: ['server'] })
    const reads = readSteadily(reader, { person, paths: [consoleListPath, certificatePath], perSecond, ms: 8_000 })
    await pause(1_000, undefined, { signal: run.signal })
    const reply = await person.ask(`${certificatePath}/replacements`, {
      method: 'POST',
      headers: { 'idempotency-key': randomUUID() },
      body: { what: 'given', certificate, key },
    })
    // Incus takes none while it calls a server offline, as it does for a moment when a heartbeat met the one before.
    if (reply.status === 409 && refused < mostRefused) {
      await reads
      refused += 1
      continue
    }
    if (reply.status !== 200) throw new Error(`the replacement was answered with ${reply.status}: ${reply.body}`)
    const done = await until('the verdict', 60_000, async () => {
      const { body } = await person.ask(`${certificatePath}/replacement`)
      const { latest } = getReplacement.reply.parse(JSON.parse(body))
      return latest?.verdict === 'done' ? latest : undefined
    })
    if (done.answer.kind !== 'taken') throw new Error('Incus did not answer')
    const { failures, reads: sent } = await reads
    const watchedMs = Date.parse(done.endedAt ?? '') - Date.parse(done.answer.at)
    all.push({ watchedMs, reads: sent, failures })
    run.say(`replacement ${all.length}/${replacements}: ${formatMs(watchedMs)}, ${failures.length} of ${sent} failed`)
  }
  return all
}

async function isOld(run: Run, person: SignedIn, name: string): Promise<true | undefined> {
  run.signal.throwIfAborted()
  const { body } = await person.ask(consoleListPath)
  const member = listMembers.reply.parse(JSON.parse(body)).members.find((each) => each.name === name)
  return member?.health.symptom === 'old-certificate' ? true : undefined
}

async function untilHealthy(run: Run, person: SignedIn, count: number): Promise<void> {
  await until('all servers being well', 120_000, async () => {
    run.signal.throwIfAborted()
    const { members } = listMembers.reply.parse(JSON.parse((await person.ask(consoleListPath)).body))
    const well = members.filter(
      ({ health, reported }) => health.standing === 'healthy' && reported.value?.status === 'Online',
    )
    return well.length === count ? true : undefined
  })
}

function reportOf(drift: readonly number[], replaced: readonly Replaced[]): Report {
  const watched = replaced.map(({ watchedMs }) => watchedMs)
  const failures = replaced.flatMap((each) => each.failures)
  const reads = replaced.reduce((sum, each) => sum + each.reads, 0)
  return {
    title: 'The certificate of a cluster',
    conditions: [
      `Drift: ${manyMembers} stand-in members on one machine; ${drift.length} times, one of them presents the certificate that the cluster had before from its next handshake on, and no connection is ended. Timed until the list of servers says so.`,
      `Replacement: three real Incus servers, a certificate that an authority signed, ${replaced.length} times, while the list of servers and the certificate are read ${perSecond} times a second, each on a connection of its own. Timed from Incus's answer to the verdict that every server presents it.`,
    ],
    tables: [
      {
        head: ['what', 'tries', 'median', 'most'],
        rows: [
          ['until drift is told', `${drift.length}`, formatMs(median(drift)), formatMs(maximum(drift))],
          [
            'from the answer to the verdict',
            `${watched.length}`,
            formatMs(median(watched)),
            formatMs(maximum(watched)),
          ],
        ],
      },
    ],
    bounds: [
      {
        claim: `drift is told within ${formatMs(mostDriftMs)}, with ${manyMembers} members`,
        measured: formatMs(maximum(drift)),
        verdict: maximum(drift) <= mostDriftMs ? 'kept' : 'missed',
      },
      {
        claim: `a replacement is watched to its end within ${formatMs(mostWatchMs)} of Incus's answer`,
        measured: formatMs(maximum(watched)),
        verdict: maximum(watched) <= mostWatchMs ? 'kept' : 'missed',
      },
      {
        claim: `no request fails during a replacement, at ${perSecond} a second`,
        measured: `${failures.length} of ${reads}`,
        verdict: failures.length === 0 ? 'kept' : 'missed',
      },
    ],
    data: { drift, replaced },
  }
}
