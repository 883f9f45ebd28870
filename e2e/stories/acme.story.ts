import { copyFile, readFile, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Locator, Page } from '@playwright/test'
import { expect } from '@playwright/test'
import { z } from 'zod'
import { prepareAcme, startAcme, type AcmeAuthority } from '../lab/fronts/acme.ts'
import { writeFrontFile } from '../lab/fronts/front.ts'
import type { Lab } from '../lab/running-lab.ts'
import type { Stage } from '../support/stage.ts'
import { expectAccessible } from '../support/axe.ts'
import { part, signIn, story } from '../support/story.ts'

// Real servers, a real authority (pebble) and the way to them: Incus orders with lego, the authority asks the domain at
// port 80, a proxy hands the challenge on to any server, and that one asks the leader. An order takes six seconds.

const title = 'Renewal by itself (ACME)'
const domain = 'incus.lab.test'

story(
  'a certificate is ordered, comes to every server, is renewed, and no setting is lost',
  async ({ page, stage }) => {
    story.setTimeout(120_000)
    const { lab } = stage
    const authority = await authorityOf(lab, 9)
    const before = await settingsOf(lab)
    await withCertificateKept(stage, async () => {
      await signIn(page, 'Mika Kallio', '/clusters/lab/certificates')
      await expect(part(page, title)).toContainText('Nothing renews the certificate by itself')
      const dialog = await fillIn(page, authority)
      await dialog.getByRole('button', { name: 'Check' }).click()
      const checks = dialog.getByRole('region', { name: 'Checks' })
      await expect(checks).toContainText('Every server is there to take the certificate.')
      await expect(checks).toContainText(`${domain} has no address`)
      await expectAccessible(page, 'the order of a certificate, checked')
      // Only the authority knows the domain here, and the console does not.
      await dialog.getByRole('checkbox', { name: /order all the same/ }).check()
      await dialog.getByRole('button', { name: 'Order the certificate' }).click()
      await expect(part(page, title)).toContainText('Ordering.')
      await page.reload()
      await expect(part(page, title)).toContainText('Mika Kallio')
      await expect(part(page, title)).toContainText('all 3 servers present it', ordered)
      await expect(part(page, 'Cluster certificate')).toContainText(domain)
      await expect(part(page, title)).toContainText(`The servers renew the certificate for ${domain} by themselves.`)
      const issued = lab.clusterFingerprint

      await part(page, title).getByRole('button', { name: 'Order a new certificate' }).click()
      await expect(part(page, title)).toContainText('Ordering.')
      await expect(part(page, title)).toContainText('all 3 servers present it', ordered)
      expect(lab.clusterFingerprint).not.toBe(issued)

      await part(page, title).getByRole('button', { name: 'Change' }).click()
      await page.getByRole('dialog').getByRole('button', { name: 'Turn off…' }).click()
      await page.getByRole('dialog').getByRole('button', { name: 'Turn it off' }).click()
      await expect(part(page, title)).toContainText('Nothing renews the certificate by itself')
      expect(await settingsOf(lab)).toEqual(before)
    })
  },
)

story(
  'an order whose challenge nobody can reach fails, says why, and leaves everything as it was',
  async ({ page, stage }) => {
    story.skip(process.env['MALLEUS_LONG'] !== '1', 'takes a second authority; the order itself is told above')
    const { lab } = stage
    const authority = await authorityOf(lab, 8)
    await authority.closeTheWay()
    const before = await settingsOf(lab)
    const fingerprint = lab.clusterFingerprint
    await signIn(page, 'Mika Kallio', '/clusters/lab/certificates')
    const dialog = await fillIn(page, authority)
    await dialog.getByRole('button', { name: 'Check' }).click()
    await dialog.getByRole('checkbox', { name: /order all the same/ }).check()
    await dialog.getByRole('button', { name: 'Order the certificate' }).click()
    await expect(part(page, title)).toContainText('The settings are as they were before.', ordered)
    await expect(part(page, title)).toContainText('The authority could not get the answer to its challenge')
    await expect(part(page, title)).toContainText('Nothing renews the certificate by itself')
    expect(await settingsOf(lab)).toEqual(before)
    expect(lab.clusterFingerprint).toBe(fingerprint)
  },
)

story('the way of a challenge is found before an order, and that it is closed', async ({ page, stage }) => {
  story.skip(process.env['MALLEUS_LONG'] !== '1', 'starts the console anew, where it knows the domain too')
  story.setTimeout(120_000)
  const { lab, folder } = stage
  const authority = await authorityOf(lab, 7)
  const address = new URL(authority.directory).hostname
  const hosts = writeFrontFile(lab, 'acme7', 'hosts-of-the-console', `127.0.0.1 localhost\n${address} ${domain}\n`)
  const config = join(folder, 'malleus.yaml')
  const before = await readFile(config, 'utf8')
  const allowing = before.replace(/^( *)- name: lab$/m, '$&\n$1  probeNetworks: [10.77.0.0/16]')
  try {
    await stage.restartConsole(() => writeFile(config, allowing), knowing(hosts))
    await signIn(page, 'Mika Kallio', '/clusters/lab/certificates')
    const dialog = await fillIn(page, authority)
    const checks = dialog.getByRole('region', { name: 'Checks' })
    await dialog.getByRole('button', { name: 'Check' }).click()
    await expect(checks).toContainText(`An Incus server answers at port 80 of ${address}.`)
    await authority.closeTheWay()
    await dialog.getByLabel('Email').fill('other@lab.test')
    await dialog.getByRole('button', { name: 'Check' }).click()
    await expect(checks).toContainText(`Nobody answers at port 80 of ${address} (ECONNREFUSED)`)
  } finally {
    await stage.restartConsole(() => writeFile(config, before))
  }
})

/** The words before a command for which other names have addresses. */
function knowing(hosts: string): readonly string[] {
  const inside = 'mount --bind "$1" /etc/hosts; shift; exec "$@"'
  return ['unshare', '--mount', '--propagation', 'private', 'sh', '-ec', inside, 'sh', hosts]
}

/** An order and what follows it; lego looks every five seconds. */
const ordered = { timeout: 45_000 }

async function authorityOf(lab: Lab, number: number): Promise<AcmeAuthority> {
  const machine = `acme${number}`
  await prepareAcme(() => {})
  return startAcme(lab, machine, await lab.addNeighbour(machine, number), domain)
}

async function fillIn(page: Page, authority: AcmeAuthority): Promise<Locator> {
  await part(page, title).getByRole('button', { name: 'Set up' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Domain', { exact: true }).fill(authority.domain)
  await dialog.getByLabel('Email').fill('mika@lab.test')
  await dialog.getByLabel('Authority', { exact: true }).selectOption('Another one')
  await dialog.getByLabel('Its directory').fill(authority.directory)
  await dialog.getByRole('checkbox', { name: /I agree/ }).check()
  return dialog
}

/** All settings, of the cluster and of each server. */
async function settingsOf(lab: Lab): Promise<readonly unknown[]> {
  const read = lab.members.map(async ({ name }) => {
    const text = await lab.incus(['query', `/1.0?target=${name}`])
    return z.object({ config: z.record(z.string(), z.string()) }).parse(JSON.parse(text)).config
  })
  return Promise.all(read)
}

/** The other stories find the certificate that the cluster had; the console follows it there too. */
async function withCertificateKept({ lab, folder }: Stage, tell: () => Promise<void>): Promise<void> {
  const kept = ['cluster.crt', 'cluster.key'].map((name) => join(folder, name))
  for (const file of kept) await copyFile(join(lab.stateDirectory, 'server1', basename(file)), file)
  try {
    await tell()
  } finally {
    await lab.incus(['cluster', 'update-certificate', ...kept])
  }
}
