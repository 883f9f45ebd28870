// Makes one cluster of members that answer on their sockets, the way `incus admin init` does it, without starting the
// client once per call.

import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { AddressPlan, MemberPlan } from './address-plan.ts'
import { callMember, performOperation } from './incus-socket.ts'
import { memberPort, socketOf } from './member-process.ts'
import type { StateDirectory } from './state-directory.ts'

/** What the cluster itself says about a member. */
export const ReportedMember = z.object({
  name: z.string(),
  address: z.string(),
  status: z.string(),
  message: z.string(),
  roles: z.array(z.string()),
  groups: z.array(z.string()),
  failureDomain: z.string(),
})
export type ReportedMember = z.infer<typeof ReportedMember>

/** The name of the storage pool every lab has. */
const poolName = 'local'

/** The first member founds the cluster, the others join it one after the other. */
export async function formCluster(
  state: StateDirectory,
  plan: AddressPlan,
  told: (line: string) => void,
): Promise<void> {
  const [first, ...others] = plan.members
  if (first === undefined) throw new Error('a cluster needs a member')
  await found(state, first)
  for (const member of others) {
    await joinCluster(state, first, member)
    told(`${member.name} joined`)
  }
}

async function found(state: StateDirectory, member: MemberPlan): Promise<void> {
  const socket = socketOf(state, member.name)
  await listen(state, member)
  await performOperation(socket, {
    method: 'PUT',
    path: '/1.0/cluster',
    body: { server_name: member.name, enabled: true },
  })
  await performOperation(socket, {
    method: 'POST',
    path: '/1.0/storage-pools',
    body: { name: poolName, driver: 'dir' },
  })
  await performOperation(socket, {
    method: 'PUT',
    path: '/1.0/profiles/default',
    body: { config: {}, description: '', devices: { root: { type: 'disk', path: '/', pool: poolName } } },
  })
}

const JoinToken = z.object({
  metadata: z.object({
    serverName: z.string(),
    fingerprint: z.string(),
    addresses: z.array(z.string()),
    secret: z.string(),
    expiresAt: z.string(),
  }),
})

async function joinCluster(state: StateDirectory, first: MemberPlan, member: MemberPlan): Promise<void> {
  const { metadata: token } = await callMember(socketOf(state, first.name), JoinToken, {
    method: 'POST',
    path: '/1.0/cluster/members',
    body: { server_name: member.name },
  })
  await listen(state, member)
  const written = {
    server_name: token.serverName,
    fingerprint: token.fingerprint,
    addresses: token.addresses,
    secret: token.secret,
    expires_at: token.expiresAt,
  }
  await performOperation(socketOf(state, member.name), {
    method: 'PUT',
    path: '/1.0/cluster',
    body: {
      server_name: member.name,
      enabled: true,
      server_address: endpoint(member),
      cluster_address: endpoint(first),
      cluster_certificate: clusterCertificate(state, first.name),
      cluster_token: Buffer.from(JSON.stringify(written)).toString('base64'),
      member_config: [{ entity: 'storage-pool', name: poolName, key: 'source', value: '' }],
    },
  })
}

async function listen(state: StateDirectory, member: MemberPlan): Promise<void> {
  await performOperation(socketOf(state, member.name), {
    method: 'PUT',
    path: '/1.0',
    body: { config: { 'core.https_address': endpoint(member) } },
  })
}

/** Changes cluster-wide settings, keeping the others. */
export async function configure(socket: string, changes: Readonly<Record<string, string>>): Promise<void> {
  // Up to 6.0.5 a PATCH of /1.0 that fails half way replaces the stored configuration by what was sent. So the
  // whole configuration is sent.
  const { config } = await callMember(socket, z.object({ config: z.record(z.string(), z.string()) }), { path: '/1.0' })
  await performOperation(socket, { method: 'PUT', path: '/1.0', body: { config: { ...config, ...changes } } })
}

const MemberList = z.array(
  z.object({
    server_name: z.string(),
    url: z.string(),
    status: z.string(),
    message: z.string(),
    roles: z.array(z.string()).nullable(),
    groups: z.array(z.string()).nullable(),
    failure_domain: z.string(),
  }),
)

/** What the member behind this socket says about all members. */
export async function readMembers(socket: string, timeoutMs: number): Promise<ReportedMember[]> {
  const list = await callMember(socket, MemberList, { path: '/1.0/cluster/members?recursion=1', timeoutMs })
  return list.map((member) => ({
    name: member.server_name,
    address: new URL(member.url).host,
    status: member.status,
    message: member.message,
    roles: member.roles ?? [],
    groups: member.groups ?? [],
    failureDomain: member.failure_domain,
  }))
}

/** PEM of the certificate all members present, as this member has it now. */
export function clusterCertificate(state: StateDirectory, member: string): string {
  return readFileSync(join(state.member(member), 'cluster.crt'), 'utf8')
}

export function clusterKey(state: StateDirectory, member: string): string {
  return readFileSync(join(state.member(member), 'cluster.key'), 'utf8')
}

/** Lower-case hexadecimal SHA-256 without colons, as Incus prints it. */
export function fingerprintOf(certificate: string): string {
  return new X509Certificate(certificate).fingerprint256.replaceAll(':', '').toLowerCase()
}

function endpoint(member: MemberPlan): string {
  return `${member.address}:${memberPort}`
}
