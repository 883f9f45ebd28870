import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from '@playwright/test'
import { expect } from '@playwright/test'
import { run } from '../lab/command.ts'
import { expectAccessible } from '../support/axe.ts'
import { part, signIn, story } from '../support/story.ts'

const name = 'story-laptop'
const entry = (page: Page) => page.getByRole('button', { name, exact: true })
const row = (page: Page) =>
  page.getByRole('table', { name: 'Trusted clients' }).getByRole('row').filter({ hasText: name })

story(
  'a client is trusted by a token and the command that is shown, seen, kept to a project, removed, and then refused',
  async ({ page, stage }) => {
    const home = await mkdtemp(join(tmpdir(), 'malleus-client-'))
    /** The command line of somebody else's machine: it has a key of its own. */
    const incus = (...words: readonly string[]) =>
      run(['env', `HOME=${home}`, `INCUS_CONF=${join(home, 'incus')}`, 'incus', ...words])
    try {
      await signIn(page, 'Mika Kallio', '/clusters/lab/trust')
      await page.getByRole('button', { name: 'Add a client…' }).click()
      await page.getByRole('textbox', { name: 'Name' }).fill(name)
      await page.getByRole('combobox', { name: 'When it ends, unused' }).selectOption('after 10 minutes')
      await page.getByRole('button', { name: 'Make a token' }).click()
      const shown = page.getByRole('dialog', { name: `Token for ${name}` })
      await expect(shown).toContainText('This console withdraws it')
      const command = (await shown.getByText(/^incus remote add lab /).innerText()).split(' ')
      await page.getByRole('button', { name: 'Done' }).click()
      await expect(part(page, 'Pending tokens')).toContainText(name)
      await expect(part(page, 'Pending tokens')).toContainText('by Mika Kallio, in the memory of server')

      await incus(...command.slice(1))
      await expect(entry(page)).toBeVisible()
      await expect(part(page, 'Pending tokens')).not.toContainText(name, { timeout: 20_000 })
      expect(await incus('list', 'lab:', '--all-projects', '--format', 'csv')).not.toBe('')

      await entry(page).click()
      const panel = page.getByRole('complementary', { name })
      await expect(panel).toContainText('Everything')
      await expect(panel).toContainText(/ago from \d+\.\d+\.\d+\.\d+, answered by server\d/, { timeout: 20_000 })
      await expectAccessible(page, 'Trust with one entry open')

      await panel.getByRole('button', { name: 'Edit…' }).click()
      await page.getByRole('radio', { name: 'Only some projects' }).check()
      await page.getByRole('checkbox', { name: 'default' }).check()
      await page.getByRole('button', { name: 'Save' }).click()
      await expect(panel).toContainText('Works in default')
      await expect(incus('query', 'lab:/1.0/warnings')).rejects.toThrow(/restricted|not authorized/i)

      await panel.getByRole('button', { name: 'Remove…' }).click()
      const question = page.getByRole('dialog', { name: `Remove ${name}?` })
      await expect(question.getByRole('list', { name: 'Who loses access' })).toContainText('Works in default')
      await question.getByRole('button', { name: 'Remove it' }).click()
      await expect(page.getByRole('dialog')).toContainText('is trusted no more')
      await page.getByRole('dialog').getByRole('button', { name: 'Close' }).last().click()
      await expect(row(page)).toHaveCount(0)
      await expect(incus('list', 'lab:')).rejects.toThrow(/not authorized|untrusted|certificate/i)
    } finally {
      await stage.lab
        .incus(['config', 'trust', 'list', '--format', 'csv', '--columns', 'nf'])
        .then((list) => list.split('\n').filter((line) => line.startsWith(`${name},`)))
        .then((left) =>
          Promise.all(left.map((line) => stage.lab.incus(['config', 'trust', 'remove', line.split(',')[1] ?? '']))),
        )
      await rm(home, { recursive: true, force: true })
    }
  },
)

story(
  'the console gets another identity while it watches, and keeps it when it is started anew',
  async ({ page, stage }) => {
    story.slow()
    const own = async () => {
      const list = await stage.lab.incus(['config', 'trust', 'list', '--format', 'csv', '--columns', 'nf'])
      return list.split('\n').filter((line) => line.startsWith('malleus'))
    }
    await signIn(page, 'Mika Kallio', '/clusters/lab/trust')
    const before = await own()
    const console = page.getByRole('row').filter({ hasText: 'this console' })
    await console.getByRole('button').first().click()
    await page.getByRole('button', { name: 'Rotate…' }).click()
    await page.getByRole('button', { name: 'Rotate it' }).click()
    await expect(page.getByRole('dialog')).toContainText('the one before is trusted no more', { timeout: 30_000 })
    await page.getByRole('dialog').getByRole('button', { name: 'Close' }).last().click()
    const after = await own()
    expect(after).toHaveLength(before.length)
    expect(after).not.toEqual(before)

    await stage.restartConsole(async () => undefined)
    await page.goto('/clusters/lab/trust')
    await expect(console).toHaveCount(1)
    // Load and memory are read with the identity alone.
    await page.goto('/clusters/lab/members/server2')
    await expect(part(page, 'Machine')).toContainText('GiB of')
  },
)
