// An ACME authority of the lab's own (pebble), and the way by which it comes to the members: a name, and at port 80 of
// what the name means a proxy that hands the challenges on to any member, as an administrator's balancer does.

import { existsSync, writeFileSync } from 'node:fs'
import { createCertificateAuthority } from '@malleus/server/testing/certificate-authority.ts'
import { installPackages, missingPackages, type Program } from '../debian-packages.ts'
import { acmeAuthority } from '../member-process.ts'
import { end } from '../process-identity.ts'
import type { FrontProgram, Lab } from '../running-lab.ts'
import { listensOn, untilReady, writeFrontFile } from './front.ts'
import type { ProxiedMember } from './haproxy.ts'

/** `lego` is what Incus itself runs to order a certificate. */
const programs: readonly Program[] = [
  { path: '/usr/bin/pebble', package: 'pebble' },
  { path: '/usr/bin/lego', package: 'lego' },
  { path: '/usr/sbin/haproxy', package: 'haproxy' },
]

/** Installs what is missing for an ACME authority, without starting any of it. */
export async function prepareAcme(told: (line: string) => void): Promise<void> {
  const missing = missingPackages(existsSync, programs)
  if (missing.length > 0) await installPackages(missing, told, programs)
}

/** An ACME authority that the members believe, and a name for which it issues. */
export class AcmeAuthority {
  /** What `acme.ca_url` has to be. */
  readonly directory: string
  /** Leads to the proxy, and only the authority knows it. */
  readonly domain: string
  readonly #proxy: FrontProgram

  /** Use `startAcme`. */
  constructor(directory: string, domain: string, proxy: FrontProgram) {
    this.directory = directory
    this.domain = domain
    this.#proxy = proxy
  }

  /** From now on nobody listens at port 80 of the name. */
  async closeTheWay(): Promise<void> {
    await end(this.#proxy.identity)
  }
}

/** Starts it on a machine of the lab with nothing else on it. */
export async function startAcme(lab: Lab, machine: string, address: string, domain: string): Promise<AcmeAuthority> {
  const authority = createCertificateAuthority('Malleus lab ACME')
  writeFileSync(acmeAuthority(lab.stateDirectory), authority.certificate)
  const own = authority.issue({ commonName: 'acme', names: [address], usages: ['server'] })
  const certificate = writeFrontFile(lab, machine, 'pebble.crt', own.certificate)
  const key = writeFrontFile(lab, machine, 'pebble.key', own.key)
  const config = writeFrontFile(lab, machine, 'pebble.json', pebbleConfiguration(certificate, key))
  const hosts = writeFrontFile(lab, machine, 'hosts', `${address} ${domain}\n`)
  const members = lab.members.map(({ name, address: host, port }) => ({ name, host, port }))
  const way = writeFrontFile(lab, machine, 'haproxy.cfg', challengeProxy(address, members))

  const quiet = ['--keep-in-foreground', '--conf-file=/dev/null', '--no-resolv', '--no-hosts', '--pid-file']
  const dns = lab.start(machine, ['dnsmasq', ...quiet, '--user=root', `--addn-hosts=${hosts}`])
  // It would else wait before it looks, and refuse requests at random, for those who test their clients.
  const quick = ['env', 'PEBBLE_VA_NOSLEEP=1', 'PEBBLE_WFE_NONCEREJECT=0']
  const pebble = lab.start(machine, [...quick, 'pebble', '-config', config, '-dnsserver', '127.0.0.1:53'])
  const proxy = lab.start(machine, ['haproxy', '-db', '-f', way])
  await untilReady('the ACME authority', [dns, pebble, proxy], async () => {
    const ports = [
      ['udp', 53],
      ['tcp', directoryPort],
      ['tcp', 80],
    ] as const
    const listening = await Promise.all(ports.map(([kind, port]) => listensOn(lab, machine, kind, port)))
    return listening.every((is) => is)
  })
  return new AcmeAuthority(`https://${address}:${directoryPort}/dir`, domain, proxy)
}

const directoryPort = 14_000

/** Challenges are looked for at port 80, as everywhere else and not as pebble has it by itself. Pure. */
export function pebbleConfiguration(certificate: string, privateKey: string): string {
  return JSON.stringify({
    pebble: {
      listenAddress: `0.0.0.0:${directoryPort}`,
      managementListenAddress: '127.0.0.1:15000',
      certificate,
      privateKey,
      httpPort: 80,
      tlsPort: 443,
      ocspResponderURL: '',
      externalAccountBindingRequired: false,
    },
  })
}

/** Any member answers a challenge: who does not lead the cluster asks who does. Everything else is refused. Pure. */
export function challengeProxy(address: string, members: readonly ProxiedMember[]): string {
  const servers = members.map(
    ({ name, host, port }) => `  server ${name} ${host}:${port} ssl verify none alpn http/1.1\n`,
  )
  return `global
  maxconn 256
defaults
  mode http
  timeout connect 2s
  timeout client 30s
  timeout server 30s
frontend challenges
  bind ${address}:80
  http-request deny unless { path_beg /.well-known/acme-challenge/ }
  default_backend members
backend members
${servers.join('')}`
}
