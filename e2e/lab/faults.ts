// The seven ways to break a member. Each is done to a real member, and each can be undone.

import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { createCertificateAuthority } from '@malleus/server/testing/certificate-authority.ts'
import type { MemberPlan } from './address-plan.ts'
import { clusterCertificate, clusterKey } from './cluster.ts'
import { run } from './command.ts'
import { until } from './deadline.ts'
import { answersOnNetwork, memberPort, startDaemon, untilReady } from './member-process.ts'
import { endLeaf, enter, spawnInside, type NamespaceRoom } from './namespace.ts'
import { end, signal, stateOf, type ProcessIdentity } from './process-identity.ts'
import type { Fault, StateDirectory } from './state-directory.ts'

/** What each fault is, for people. */
export const faultDescriptions: Readonly<Record<Fault, string>> = {
  stuck: 'stopped with SIGSTOP: connections are accepted by the kernel, nothing answers',
  killed: 'ended with SIGKILL: connections are refused',
  'cut-off': 'its network link is down',
  'black-hole': 'every packet to and from it is dropped without a word',
  slow: 'runs only a thirtieth of the time: answers come 0.1 s late',
  starting: 'the TLS handshake succeeds, no request is answered',
  'wrong-certificate': "answers with a certificate that is not the cluster's",
}

/** A member in the hands of its lab. */
export interface Patient {
  readonly state: StateDirectory
  readonly room: NamespaceRoom
  readonly plan: MemberPlan
}

/** Breaks a whole member. The fault is in place when the promise resolves. */
export async function breakMember(patient: Patient, fault: Fault): Promise<void> {
  const { state, plan } = patient
  // Written first, so that an interrupted `break` can be mended.
  state.writeFault(plan.name, { fault, brokenAt: new Date().toISOString() })
  await breaks[fault](patient)
}

/** Undoes a fault and waits until the member answers on the network again. A member without a fault is made to answer too. */
export async function mendMember(patient: Patient): Promise<void> {
  const { state, room, plan } = patient
  await endLeaf(room, plan.name, 'faults')
  await run(['ip', 'link', 'set', plan.hostLink, 'up'])
  await run([...enter(room, plan.name), 'nft', '-f', '-'], {
    input: `table inet ${table}\ndelete table inet ${table}\n`,
  })
  await revive(patient)
  await until(`an answer from ${plan.name} on the network`, 60_000, async () =>
    (await answersOnNetwork(plan.address, 1_000)) ? true : undefined,
  )
  await rm(heardFile(patient), { force: true })
  state.removeFault(plan.name)
}

/** What the machine in the place of a member was sent after each handshake, by sender. Undefined when nothing stands there. */
export async function readHeard(patient: Patient): Promise<Heard[] | undefined> {
  try {
    return z.array(Heard).parse(JSON.parse(await readFile(heardFile(patient), 'utf8')))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

const Heard = z.object({ address: z.string(), handshakes: z.number().int(), bytes: z.number().int() })
export type Heard = z.infer<typeof Heard>

const breaks: Readonly<Record<Fault, (patient: Patient) => Promise<void>>> = {
  stuck: async (patient) => {
    const daemon = daemonOf(patient)
    signal(daemon, 'SIGSTOP')
    await until(
      `${patient.plan.name} standing still`,
      5_000,
      () => (stateOf(daemon) === 'stopped' ? true : undefined),
      2,
    )
  },

  killed: async (patient) => {
    await end(daemonOf(patient))
  },

  'cut-off': async ({ plan }) => {
    await run(['ip', 'link', 'set', plan.hostLink, 'down'])
  },

  'black-hole': async ({ room, plan }) => {
    const drop = (hook: string, device: string): string =>
      `add chain inet ${table} ${hook} { type filter hook ${hook} priority -300; policy accept; }
       add rule inet ${table} ${hook} ${device} "eth0" drop`
    const rules = [
      `add table inet ${table}`,
      drop('input', 'iifname'),
      drop('output', 'oifname'),
      drop('forward', 'iifname'),
    ]
    await run([...enter(room, plan.name), 'nft', '-f', '-'], { input: rules.join('\n') + '\n' })
  },

  slow: async (patient) => {
    const { state, room, plan } = patient
    const daemon = daemonOf(patient)
    spawnInside(room, plan.name, [process.execPath, script('throttle.ts'), `${daemon.pid}`, `${daemon.startedAt}`], {
      log: state.log(`${plan.name}.fault`),
      leaf: 'faults',
    })
    await until(`${plan.name} being held`, 10_000, () => (stateOf(daemon) === 'stopped' ? true : undefined), 2)
  },

  starting: (patient) => {
    const { state, plan } = patient
    return replace(patient, 'starting', {
      certificate: clusterCertificate(state, plan.name),
      key: clusterKey(state, plan.name),
    })
  },

  'wrong-certificate': (patient) => {
    const { name, address } = patient.plan
    return replace(
      patient,
      'wrong-certificate',
      createCertificateAuthority('Somebody else').issue({ commonName: name, names: [name, address] }),
    )
  },
}

/** Ends the daemon and puts an impostor in its place. */
async function replace(
  patient: Patient,
  kind: 'starting' | 'wrong-certificate',
  pair: { certificate: string; key: string },
): Promise<void> {
  const { state, room, plan } = patient
  const [certificate, key] = [
    join(state.path, 'faults', `${plan.name}.crt`),
    join(state.path, 'faults', `${plan.name}.key`),
  ]
  await writeFile(certificate, pair.certificate)
  await writeFile(key, pair.key, { mode: 0o600 })
  await end(daemonOf(patient))
  const argv = [
    process.execPath,
    script('impostor.ts'),
    kind,
    // Also at the addresses that the machine has from a front.
    '0.0.0.0',
    `${memberPort}`,
    certificate,
    key,
    heardFile(patient),
  ]
  const carrier = spawnInside(room, plan.name, argv, { log: state.log(`${plan.name}.fault`), leaf: 'faults' })
  await until(`the impostor of ${plan.name}`, 10_000, async () => {
    if (stateOf(carrier) === 'gone')
      throw new Error(`the impostor of ${plan.name} ended; see ${state.log(`${plan.name}.fault`)}`)
    return (await listens(carrier, patient)) ? true : undefined
  })
}

/** Does this process listen on the member's port? Asked of the kernel, so that no handshake is counted. */
async function listens(carrier: ProcessIdentity, { room, plan }: Patient): Promise<boolean> {
  const argv = ['ss', '--listening', '--tcp', '--processes', '--numeric', '--no-header', `sport = :${memberPort}`]
  return (await run([...enter(room, plan.name), ...argv])).includes(`pid=${carrier.pid},`)
}

/** Makes the daemon run: continues it where it was stopped, starts it where it is gone. */
async function revive({ state, room, plan }: Patient): Promise<void> {
  const daemon = state.readProcess(plan.name)
  if (daemon === undefined || !signal(daemon, 'SIGCONT')) await startDaemon(state, room, plan.name)
  await untilReady(state, plan.name)
}

function daemonOf({ state, plan }: Patient): ProcessIdentity {
  const daemon = state.readProcess(plan.name)
  if (daemon === undefined || stateOf(daemon) === 'gone') throw new Error(`${plan.name} does not run; mend it first`)
  return daemon
}

const table = 'malleus_lab_fault'

function heardFile({ state, plan }: Patient): string {
  return join(state.path, 'faults', `${plan.name}.heard`)
}

function script(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url))
}
