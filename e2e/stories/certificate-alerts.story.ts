import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { selfSigned } from '@malleus/server/testing/certificate-authority.ts'
import { expect } from '@playwright/test'
import { expectAccessible } from '../support/axe.ts'
import { signIn, story } from '../support/story.ts'

const name = 'story-ends-soon'

story(
  'a certificate that ends is told at the bell as soon as it is trusted, until it is not',
  async ({ page, stage }) => {
    const folder = await mkdtemp(join(tmpdir(), 'malleus-alerts-'))
    const file = join(folder, 'client.crt')
    const { certificate } = selfSigned({ commonName: name, notAfter: new Date(Date.now() + 4.5 * 86_400_000) })
    await writeFile(file, certificate)
    const fingerprints = async (): Promise<string[]> => {
      const list = await stage.lab.incus(['config', 'trust', 'list', '--format', 'csv', '--columns', 'nf'])
      return list.split('\n').flatMap((line) => (line.startsWith(`${name},`) ? [line.split(',')[1] ?? ''] : []))
    }
    const forget = async (): Promise<void> => {
      for (const fingerprint of await fingerprints()) await stage.lab.incus(['config', 'trust', 'remove', fingerprint])
    }
    try {
      await signIn(page, 'Mika Kallio', '/clusters/lab')
      const bell = page.getByRole('button', { name: 'Certificates that end' })
      const panel = page.getByRole('dialog', { name: 'Certificates that end' })
      await bell.click()
      await expect(panel).toContainText('Who is told')
      await expect(panel).not.toContainText(name)
      await stage.lab.incus(['config', 'trust', 'add-certificate', file, '--name', name])
      await expect(panel).toContainText(`The certificate of ${name}, whom lab trusts`, { timeout: 10_000 })
      await expect(panel).toContainText('Ends in 4 days.')
      await expect(panel).toContainText('Nobody but who looks here.')
      await expectAccessible(page, 'the bell')
      const metrics = await fetch(`${stage.managementUrl}/metrics`).then((response) => response.text())
      expect(metrics).toMatch(
        /^malleus_soonest_certificate_expiry_timestamp_seconds\{cluster="lab",kind="trust-entry"\} \d+/m,
      )

      await panel.getByRole('link', { name: 'Open Trust' }).click()
      await expect(panel).toHaveCount(0)
      await expect(page.getByRole('button', { name, exact: true })).toBeVisible()
      await forget()
      await bell.click()
      await expect(panel).not.toContainText(name, { timeout: 10_000 })
    } finally {
      await forget()
      await rm(folder, { recursive: true, force: true })
    }
  },
)
