import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createCertificateAuthority } from '@malleus/server/testing/certificate-authority.ts'
import { expect } from '@playwright/test'
import { run } from '../lab/command.ts'
import { until } from '../lab/deadline.ts'
import { routerRouting, startRouting } from '../lab/fronts/ecmp.ts'
import { prepareFronts } from '../lab/fronts/front-packages.ts'
import { listenEverywhere, listensOn, setNetwork, untilReady, writeFrontFile } from '../lab/fronts/front.ts'
import type { Lab } from '../lab/running-lab.ts'
import { withClusterSettings } from '../support/cluster-settings.ts'
import { fileIn, printedFront, writePrinted } from '../support/generated-front.ts'
import type { Stage } from '../support/stage.ts'
import { goTo, part, signIn, story } from '../support/story.ts'

// What `malleus front` prints is started as it is, but for where its files are, and has to serve the incus command line.

const long = process.env['MALLEUS_LONG'] === '1'

story('a floating and an announced address serve the incus command line', async ({ stage }) => {
  story.skip(!long, 'started in the long run: npm run test:long')
  story.setTimeout(300_000)
  await prepareFronts(() => {})
  const { lab } = stage
  await lab.addNeighbour('visitor', 6)
  const router = await lab.addNeighbour('uplink', 4)
  await listenEverywhere(lab)
  try {
    await startKeepalived(stage, lab.sharedAddress(100))
    await expectServed(lab, lab.sharedAddress(100))
    await startBgp(stage, lab.sharedAddress(200), router)
    await expectServed(lab, lab.sharedAddress(200))
  } finally {
    for (const { name, address, port } of lab.members) {
      await lab.configureMember(name, { 'core.https_address': `${address}:${port}` })
    }
  }
})

story('a balancer that ends TLS is known for people with tokens only', async ({ page, stage }) => {
  story.skip(!long, 'started in the long run: npm run test:long')
  story.setTimeout(180_000)
  await prepareFronts(() => {}, ['haproxy'])
  const { lab } = stage
  const config = join(stage.folder, 'malleus.yaml')
  const before = await readFile(config, 'utf8')
  const balancer = await lab.addNeighbour('terminating', 5)
  const printed = await printedFront(config, ['haproxy-tls', '--cluster', 'lab', '--address', balancer])
  const { certificate, key } = createCertificateAuthority('Front').issue({
    commonName: 'front',
    names: [balancer],
    usages: ['server'],
  })
  const pem = writeFrontFile(lab, 'terminating', 'front.pem', certificate + key)
  const known = writeFrontFile(lab, 'terminating', 'cluster.crt', lab.clusterCertificate)
  const text = fileIn(printed, '/etc/haproxy/haproxy.cfg')
    .replace('/etc/haproxy/incus-front.pem', pem)
    .replace('/etc/haproxy/incus-cluster.crt', known)
  await lab.incus(['config', 'set', `core.https_trusted_proxy=${balancer}`])
  try {
    const haproxy = lab.start('terminating', [
      'haproxy',
      '-db',
      '-f',
      writeFrontFile(lab, 'terminating', 'haproxy.cfg', text),
    ])
    await untilReady('haproxy', [haproxy], () => listensOn(lab, 'terminating', 'tcp', 8443))
    const path = `  - { kind: load-balancer, name: sso, address: '${balancer}:8443' }`
    await stage.restartConsole(() => writeFile(config, withClusterSettings(before, ['accessPaths:', path])))
    await signIn(page, 'Mika Kallio')
    await goTo(page, 'Access paths')
    await expect(page.getByRole('link', { name: 'sso' })).toContainText('OIDC only')
    await expect(page.getByRole('link', { name: 'sso' })).toContainText('Load balancer, terminates TLS')
    await page.getByRole('link', { name: 'sso' }).click()
    await expect(part(page, 'What works on it')).toContainText(
      'TLS ends before the servers, which never see the certificate.',
    )
  } finally {
    await lab.incus(['config', 'unset', 'core.https_trusted_proxy'])
    await stage.restartConsole(() => writeFile(config, before))
  }
})

async function startKeepalived({ lab, folder }: Stage, address: string): Promise<void> {
  const printed = await printedFront(join(folder, 'malleus.yaml'), ['keepalived', '--address', address])
  const programs = []
  for (const { name } of lab.members) {
    const check = writePrinted(lab, name, 'check-incus.sh', printed, `/etc/keepalived/check-incus.sh on ${name}`)
    await chmod(check, 0o755)
    const text = fileIn(printed, `/etc/keepalived/keepalived.conf on ${name}`)
    const file = writeFrontFile(lab, name, 'keepalived.conf', text.replace('/etc/keepalived/check-incus.sh', check))
    const pids = ['--pid', `${file}.pid`, '--vrrp_pid', `${file}.vrrp.pid`]
    programs.push(
      lab.start(name, ['keepalived', '--vrrp', '--dont-fork', '--log-console', '--use-file', file, ...pids]),
    )
  }
  await untilReady('a holder of the floating address', programs, () => answers(lab, address))
}

async function startBgp({ lab, folder }: Stage, address: string, router: string): Promise<void> {
  const args = ['frr-bgp', '--address', address, '--router', router]
  const printed = await printedFront(join(folder, 'malleus.yaml'), args)
  const programs = []
  for (const { name } of lab.members) {
    programs.push(...(await startRouting(lab, name, { bgp: '', bfd: '' })))
    const file = writePrinted(lab, name, 'frr.conf', printed, `/etc/frr/frr.conf on ${name}`)
    const sockets = join(dirname(file), 'sockets')
    await until(`the routing daemons of ${name}`, 10_000, async () =>
      run([...lab.enter(name), 'vtysh', '--vty_socket', sockets, '-f', file]).then(
        () => true,
        () => undefined,
      ),
    )
    const script = writePrinted(lab, name, 'announce.sh', printed, `/usr/local/sbin/incus-announce.sh on ${name}`)
    programs.push(lab.start(name, ['sh', script]))
  }
  const parameters = {
    ip_forward: 1,
    fib_multipath_hash_policy: 1,
    'conf.all.send_redirects': 0,
    'conf.eth0.send_redirects': 0,
  }
  await setNetwork(lab, 'uplink', parameters)
  const addresses = lab.members.map((member) => member.address)
  programs.push(...(await startRouting(lab, 'uplink', routerRouting(router, addresses))))
  await run([...lab.enter('visitor'), 'ip', 'route', 'add', `${address}/32`, 'via', router])
  await untilReady('an announced address', programs, () => answers(lab, address))
}

async function answers(lab: Lab, address: string): Promise<boolean> {
  const ask = ['curl', '--silent', '--fail', '--insecure', '--max-time', '2', '--output', '/dev/null']
  return run([...lab.enter('visitor'), ...ask, `https://${address}:8443/1.0`]).then(
    () => true,
    () => false,
  )
}

/** By the command line of somebody who never met the cluster before. */
async function expectServed(lab: Lab, address: string): Promise<void> {
  const own = await mkdtemp(join(tmpdir(), 'malleus-incus-'))
  const environment = { PATH: process.env['PATH'] ?? '', HOME: own, INCUS_CONF: own }
  const incus = (...args: string[]) => run([...lab.enter('visitor'), 'incus', ...args], { environment })
  try {
    const token = await lab.trustToken(`front-${address}`)
    await incus(
      'remote',
      'add',
      'front',
      `https://${address}:8443`,
      '--accept-certificate',
      '--auth-type',
      'tls',
      '--token',
      token,
    )
    const members = await incus('cluster', 'list', 'front:', '--format', 'csv')
    for (const { name } of lab.members) expect(members).toContain(name)
  } finally {
    await rm(own, { recursive: true, force: true })
  }
}
