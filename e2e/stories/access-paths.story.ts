import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { listAccessPaths, type AccessPath } from '@malleus/shared/api/access-paths.ts'
import { expect, type Page } from '@playwright/test'
import { startDns } from '../lab/fronts/dns.ts'
import { prepareFronts } from '../lab/fronts/front-packages.ts'
import { listensOn, untilReady, writeFrontFile } from '../lab/fronts/front.ts'
import { expectAccessible } from '../support/axe.ts'
import { withClusterSettings } from '../support/cluster-settings.ts'
import { printedFront, writePrinted } from '../support/generated-front.ts'
import { NewClients } from '../support/new-clients.ts'
import { goTo, part, signIn, story } from '../support/story.ts'
import type { Stage } from '../support/stage.ts'

/** Each second, and a second until silence is called so: two of them, and what the page needs. */
const twoProbes = { timeout: 4_500 }

const name = 'incus.test'

story(
  'a balancer and a name are judged, and what a stopped server costs on them is measured',
  async ({ page, stage }) => {
    story.setTimeout(120_000)
    await prepareFronts(() => {}, ['haproxy', 'curl'])
    const { lab } = stage
    const balancer = await lab.addNeighbour('balancer', 2)
    await lab.addNeighbour('client', 3)
    const config = join(stage.folder, 'malleus.yaml')
    const before = await readFile(config, 'utf8')
    const printed = await printedFront(config, ['haproxy', '--cluster', 'lab', '--address', balancer])
    expect(printed).toContain(`incus config set core.https_trusted_proxy=${balancer}`)
    await lab.incus(['config', 'set', `core.https_trusted_proxy=${balancer}`])
    try {
      const file = writePrinted(lab, 'balancer', 'haproxy.cfg', printed, '/etc/haproxy/haproxy.cfg')
      const haproxy = lab.start('balancer', ['haproxy', '-db', '-f', file])
      await untilReady('haproxy', [haproxy], () => listensOn(lab, 'balancer', 'tcp', 8443))
      await startDns(lab, 'balancer', name)
      const resolver = writeFrontFile(lab, 'balancer', 'resolv.conf', `nameserver ${balancer}\n`)
      await stage.restartConsole(() => writeFile(config, withPaths(before, balancer)), asking(resolver))
      await told(page, stage, balancer)
    } finally {
      // With a server that is stuck, a change of settings takes its time.
      await stage.mend()
      await lab.incus(['config', 'unset', 'core.https_trusted_proxy'])
      await stage.restartConsole(() => writeFile(config, before))
    }
  },
)

async function told(page: Page, stage: Stage, balancer: string): Promise<void> {
  const victim = await stage.victim()
  await signIn(page, 'Mika Kallio')
  await goTo(page, 'Access paths')
  const entry = (path: string) =>
    page.getByRole('navigation', { name: 'Access paths' }).getByRole('link', { name: path })
  await expect(entry('lb')).toContainText('Good')
  await expect(entry('lb')).toContainText('Load balancer, TCP passthrough')
  await entry(name).click()
  await expect(part(page, 'Checks')).toContainText('Every server is in the record')
  await expect(part(page, 'First answer for a new client')).toContainText('estimate')

  const clients = new NewClients(stage.lab, 'client', `https://${balancer}:8443/1.0`, 6)
  await expect.poll(async () => (await pathOf(page, 'lb')).firstAnswer.clients).toBeGreaterThan(1)
  const faultAt = Date.now()
  await stage.world.break(victim, 'stuck')
  await expect(part(page, 'Checks')).toContainText(`${victim} holds clients up`, twoProbes)
  // haproxy's check asks the API, so that it finds out; then the path is good again, and stays so.
  await expect(entry('lb')).toContainText('Good', { timeout: 8_000 })
  await expect(part(page, 'Checks')).toContainText(`${victim} holds clients up`)

  const all = await clients.all()
  const held = all.filter(({ startedAt, answeredAt }) => startedAt >= faultAt - 200 && answeredAt - startedAt > 1_000)
  expect(held.length, 'clients that the fault held up').toBeGreaterThan(0)
  const goodAfterMs = Math.max(...held.map(({ answeredAt }) => answeredAt)) - faultAt
  await expect.poll(async () => (await pathOf(page, 'lb')).incidents[0]?.goodAfterMs ?? null).not.toBeNull()
  const [incident] = (await pathOf(page, 'lb')).incidents
  expect(incident).toMatchObject({ member: victim, symptom: 'stuck' })
  const measured = incident?.goodAfterMs ?? NaN
  expect(Math.abs(measured - goodAfterMs), `${measured} ms here, ${goodAfterMs} ms to curl`).toBeLessThanOrEqual(
    Math.max(100, 0.2 * goodAfterMs),
  )
  await entry('lb').click()
  await expect(part(page, 'Incidents on this path')).toContainText(victim)
  await expect(part(page, 'First answer for a new client')).toContainText('Measured in the incident of')
  await expectAccessible(page, 'Access paths with a stuck server')
}

async function pathOf(page: Page, path: string): Promise<AccessPath> {
  const text = await page.evaluate(async () => {
    const headers = { 'X-Console-Request': '1' }
    return (await fetch('/api/clusters/lab/access-paths', { headers })).text()
  })
  const found = listAccessPaths.reply.parse(JSON.parse(text)).paths.find((each) => each.name === path)
  if (found === undefined) throw new Error(`there is no path ${path}: ${text}`)
  return found
}

/** The same configuration with two paths, and without waiting long to stop. */
function withPaths(yaml: string, balancer: string): string {
  const paths = [
    `  - { kind: load-balancer, name: lb, address: '${balancer}:8443' }`,
    `  - { kind: dns, name: ${name} }`,
  ]
  return `limits: { drainGraceMs: 0 }\n${withClusterSettings(yaml, ['accessPaths:', ...paths])}`
}

/** Where names are asked for at this name server, and nothing else is different. */
function asking(resolver: string): string[] {
  const script = `mount --bind "$1" /etc/resolv.conf; shift; exec "$@"`
  return ['unshare', '--mount', '--propagation', 'private', 'sh', '-ec', script, 'sh', resolver]
}
