import { request } from 'node:http'
import {
  createCertificateAuthority,
  fingerprintOf,
  type KeyPair,
} from '@malleus/server/testing/certificate-authority.ts'
import type { Page } from '@playwright/test'
import { expect } from '@playwright/test'
import { startReader } from '../bench/reader.ts'
import { expectAccessible } from '../support/axe.ts'
import type { Lab } from '../lab/running-lab.ts'
import { readSteadily } from '../support/read-through-fault.ts'
import { signIn as signInProgram } from '../support/signed-in.ts'
import { part, said, signIn, story } from '../support/story.ts'

const long = process.env['MALLEUS_LONG'] === '1'
const inTheLongRun = 'gone through in the long run: npm run test:long'
const authority = createCertificateAuthority('Authority of the lab')
const replacePage = '/clusters/lab/certificates/replace'
const dayMs = 86_400_000

story(
  'a certificate is replaced under load, watched on every server, and nobody loses a request',
  async ({ page, stage }) => {
    const person = await signInProgram({ url: stage.url, provider: stage.world.provider, person: 'u-sam' })
    const reader = startReader()
    try {
      await signIn(page, 'Mika Kallio', replacePage)
      const fresh = issue(stage.lab)
      await look(page, fresh)
      await expect(checks(page)).toContainText('The private key belongs to the certificate.')
      await expect(checks(page)).toContainText('All 3 servers answer')

      const paths = ['members', 'certificate'].map((name) => `/api/clusters/lab/${name}`)
      const reads = readSteadily(reader, { person, paths, perSecond: 20, ms: 5_000 })
      await page.getByRole('button', { name: 'Replace the certificate' }).click()
      await expect(said(page, 'All 3 servers present the new certificate.')).toBeVisible()
      await expect(part(page, 'Replacement').getByRole('listitem').filter({ hasText: 'New' })).toHaveCount(3)
      expect((await reads).failures).toEqual([])

      // The old pin is gone, and the new one says where it came from.
      await page.goto('/clusters/lab/certificates')
      const pins = part(page, 'How this console recognises the cluster')
      await expect(pins.getByRole('listitem')).toHaveCount(1)
      await expect(pins).toContainText('replacement by Mika Kallio')
      await expect(pins).toContainText(fingerprintOf(fresh.certificate).slice(0, 12))
      await expect(said(page, 'One certificate faces every client, on all servers.')).toBeVisible()
    } finally {
      await reader.close()
    }
  },
)

story('a certificate that would take the cluster down is refused in words, and never sent', async ({ page, stage }) => {
  await signIn(page, 'Mika Kallio', replacePage)
  const before = stage.lab.clusterCertificate
  const good = issue(stage.lab)
  await look(page, { certificate: good.certificate, key: issue(stage.lab).key })
  await expect(checks(page)).toContainText('Cannot, because: The private key belongs to another certificate.')
  await expect(replace(page)).toHaveAttribute('aria-disabled', 'true')
  await expectAccessible(page, 'Replace the certificate')

  await look(
    page,
    issue(stage.lab, { notBefore: new Date(Date.now() - 9 * dayMs), notAfter: new Date(Date.now() - 2 * dayMs) }),
  )
  await expect(checks(page)).toContainText('Cannot, because: It has expired 2 days ago.')
  await expect(replace(page)).toHaveAttribute('aria-disabled', 'true')

  // It may be sent; whoever does knows for whom it breaks.
  await look(page, issue(stage.lab, { names: ['incus.example.net'] }))
  await expect(checks(page)).toContainText(
    `Can, but: It does not cover ${stage.lab.members[0]?.address}, for clients that connect to`,
  )
  await look(page, issue(stage.lab, { names: [stage.lab.members[0]?.address ?? ''] }))
  await expect(checks(page)).toContainText('Cannot, because: It has no DNS name.')
  expect(stage.lab.clusterCertificate).toBe(before)
})

story(
  'a server that is stopped during the update leaves the outcome unknown, until it goes on',
  async ({ page, stage }) => {
    story.skip(!long, inTheLongRun)
    story.setTimeout(240_000)
    const victim = await stage.victim()
    await signIn(page, 'Mika Kallio', replacePage)
    await look(page, issue(stage.lab))
    await expect(checks(page)).toContainText('All 3 servers answer')
    await stage.lab.break(victim, 'stuck')
    await replace(page).click()
    await expect(page.getByRole('main').getByText(/No answer came, so nobody knows yet/)).toBeVisible({
      timeout: 60_000,
    })
    await expect(part(page, 'Replacement').getByRole('listitem').filter({ hasText: victim })).toContainText(
      'No handshake',
    )
    await stage.mend()
    await expect(said(page, 'All 3 servers present the new certificate.')).toBeVisible({ timeout: 60_000 })
  },
)

story('with a server that is down nothing is sent, and the page says what Incus would do', async ({ page, stage }) => {
  story.skip(!long, inTheLongRun)
  const victim = await stage.victim()
  await signIn(page, 'Mika Kallio', replacePage)
  await stage.lab.break(victim, 'killed')
  await expect(async () => {
    await look(page, issue(stage.lab))
    await expect(checks(page)).toContainText(new RegExp(`Cannot, because: ${victim} (refuses connections|is offline)`))
  }).toPass({ timeout: 20_000 })
  await expect(replace(page)).toHaveAttribute('aria-disabled', 'true')
})

story(
  'a server that missed the update is an incident with its reason, until it is given the certificate',
  async ({ page, stage }) => {
    story.skip(!long, inTheLongRun)
    story.setTimeout(240_000)
    const { lab } = stage
    const victim = await stage.victim()
    const others = lab.members.map(({ name }) => name).filter((name) => name !== victim)
    const fresh = issue(lab)

    // Somebody else replaces it, and the console is told beforehand which one comes.
    await signIn(page, 'Mika Kallio', '/clusters/lab/certificates')
    const pins = part(page, 'How this console recognises the cluster')
    await pins.getByRole('button', { name: 'Change…' }).click()
    await page.getByRole('textbox', { name: 'SHA-256 fingerprint' }).fill(fingerprintOf(fresh.certificate))
    await page.getByRole('button', { name: 'Set the next pin' }).click()
    await expect(pins).toContainText('set by Mika Kallio')

    await lab.break(victim, 'stuck')
    const presented = (name: string) =>
      part(page, 'Presented by each server').getByRole('listitem').filter({ hasText: name })
    await expect(presented(victim)).toContainText('No handshake')
    for (const name of others) await giveAtSocket(lab.socket(name), fresh)
    for (const name of others) await expect(presented(name)).toContainText(/Same|Next/, { timeout: 30_000 })
    await lab.mend(victim)
    try {
      await expect(presented(victim)).toContainText('It did not answer during the update', { timeout: 90_000 })
      await page.goto('/clusters/lab')
      await expect(said(page, `${victim} presents an old certificate.`)).toBeVisible()
    } finally {
      await giveAtSocket(lab.socket(victim), fresh)
    }
    await page.goto('/clusters/lab/certificates')
    await expect(said(page, 'One certificate faces every client, on all servers.')).toBeVisible({ timeout: 30_000 })
    await expect(pins.getByRole('listitem')).toHaveCount(1)
  },
)

/** What the page tells people to run on a server that was left behind: it then writes the certificate for itself alone. */
async function giveAtSocket(socketPath: string, { certificate, key }: KeyPair): Promise<void> {
  const body = JSON.stringify({ cluster_certificate: certificate, cluster_certificate_key: key })
  const headers = { host: 'incus', 'user-agent': 'incus-cluster-notifier', 'content-type': 'application/json' }
  const status = await new Promise<number>((resolve, reject) => {
    const asked = request({ socketPath, path: '/1.0/cluster/certificate', method: 'PUT', headers }, (response) => {
      response.resume()
      response.on('end', () => resolve(response.statusCode ?? 0))
    })
    asked.on('error', reject)
    asked.end(body)
  })
  expect(status).toBe(200)
}

async function look(page: Page, { certificate, key }: KeyPair): Promise<void> {
  await page.getByRole('textbox', { name: 'Certificate, with those that signed it' }).fill(certificate)
  await page.getByRole('textbox', { name: 'Private key' }).fill(key)
  await page.getByRole('button', { name: 'Look at it' }).click()
  await expect(part(page, 'As it was read')).toBeVisible()
}

const checks = (page: Page) => part(page, 'Checks')
const replace = (page: Page) => page.getByRole('button', { name: 'Replace the certificate' })

/** For every server of the lab and a name, signed by an authority of its own. */
function issue(lab: Lab, more: Partial<Parameters<typeof authority.issue>[0]> = {}): KeyPair {
  const names = ['incus.example.net', ...lab.members.map(({ address }) => address)]
  const { certificate, key } = authority.issue({ commonName: 'incus.example.net', names, usages: ['server'], ...more })
  return { certificate: certificate + authority.certificate, key }
}
