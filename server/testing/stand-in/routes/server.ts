import { seesEverything } from '../authorization.ts'
import type { Call } from '../call.ts'
import type { Member } from '../member.ts'
import { answerChallenge } from '../acme.ts'
import { extensionsOf } from '../api-extensions.ts'
import { reach } from '../reach.ts'
import { IncusError, sync } from '../replies.ts'
import type { Reply } from '../replies.ts'
import type { Route } from '../router.ts'
import { configOf, etagOfConfig, writeSettings } from '../server-config.ts'

/** What a server says of itself. Answered from memory, also when the database is gone: it is liveness, not readiness. */
export const serverRoutes: readonly Route[] = [
  { method: 'GET', path: '/', need: 'public', withoutDatabase: true, answer: () => sync(['/1.0']) },
  { method: 'GET', path: '/1.0', need: 'public', withoutDatabase: true, answer: describeServer },
  { method: 'PUT', path: '/1.0', need: 'edit', answer: changeServer },
  { method: 'PATCH', path: '/1.0', need: 'edit', answer: changeServer },
  {
    method: 'GET',
    path: '/.well-known/acme-challenge/:token',
    need: 'public',
    withoutDatabase: true,
    answer: answerChallenge,
  },
]

async function describeServer(call: Call): Promise<Reply> {
  const { caller, state, authenticator } = call
  const { settings } = state
  const untrusted = {
    config: {},
    api_extensions: settings.seven ? null : extensionsOf(settings.seven),
    api_status: 'stable',
    api_version: '1.0',
    auth: 'untrusted',
    public: false,
    auth_methods: authenticator.methods(call.via),
  }
  if (caller.kind === 'nobody') return sync(untrusted)
  if (caller.kind === 'oidc' && state.access.get(caller.name)?.may === 'nothing') {
    throw new IncusError(403, 'Permission denied')
  }
  const target = call.query.get('target')
  const member = target === null ? call.via : await targetOf(call, target)
  const config = seesEverything(caller, state) ? configOf(call.state, member) : {}
  return {
    kind: 'sync',
    etag: etagOfConfig(config),
    metadata: {
      ...untrusted,
      config,
      api_extensions: extensionsOf(settings.seven),
      auth: 'trusted',
      auth_user_name: caller.name,
      auth_user_method: caller.kind,
      environment: environmentOf(call, member),
    },
  }
}

async function changeServer(call: Call): Promise<Reply> {
  const target = call.query.get('target')
  return writeSettings(target === null ? call : { ...call, via: await targetOf(call, target) })
}

async function targetOf(call: Call, name: string): Promise<Member> {
  await call.state.leadership.database(call.via, call.left)
  const member = call.state.member(name)
  await reach(call, member)
  return member
}

function environmentOf({ state, query }: Call, member: Member): Record<string, unknown> {
  const { settings } = state
  return {
    addresses: [member.address],
    architectures: ['x86_64', 'i686'],
    certificate: state.certificate.certificate,
    certificate_fingerprint: state.fingerprint,
    driver: 'lxc | qemu',
    driver_version: settings.seven ? '6.0.5 | 10.0.7' : '5.0.2 | 7.2.19',
    firewall: 'nftables',
    kernel: 'Linux',
    kernel_architecture: 'x86_64',
    kernel_features: settings.seven
      ? {}
      : { idmapped_mounts: 'true', netnsid_getifaddrs: 'true', seccomp_listener: 'true', uevent_injection: 'true' },
    kernel_version: settings.seven ? '6.12.57+deb13-amd64' : '6.1.0-38-amd64',
    lxc_features: { cgroup2: 'true', core_scheduling: 'true', devpts_fd: 'true', pidfd: 'true' },
    os_name: 'Debian GNU/Linux',
    os_version: settings.seven ? '13' : '12',
    project: query.get('project') ?? 'default',
    server: 'incus',
    server_clustered: true,
    server_event_mode: 'full-mesh',
    server_name: member.name,
    server_pid: 1000 + member.life,
    server_version: settings.version,
    storage: 'dir',
    storage_version: '1',
    storage_supported_drivers: [
      { Name: 'dir', Version: '1', Remote: false },
      { Name: 'btrfs', Version: '6.2', Remote: false },
    ],
  }
}
