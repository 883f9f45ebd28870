import { readFile } from 'node:fs/promises'
import { AuditRecord } from '@malleus/shared/api/audit.ts'
import { expect } from '@playwright/test'
import { goTo, part, rowOf, signIn, story } from '../support/story.ts'

story('an auditor sees the history and nothing else', async ({ page }) => {
  await signIn(page, 'Ana Duarte')
  const history = part(page, 'Access history')
  await expect(
    history
      .getByRole('listitem')
      .filter({ hasText: /Ana Duarte\s*signed in/ })
      .first(),
  ).toBeVisible()
  await expect(page.getByRole('table', { name: 'Servers' })).toHaveCount(0)
  await expect(page.getByText('10.77.')).toHaveCount(0)

  for (const title of ['Servers', 'Certificates'] as const) {
    await goTo(page, title)
    await expect(page.getByRole('alert').filter({ hasText: /role|allowed|may not/ })).toBeVisible()
    await expect(page.getByRole('table')).toHaveCount(0)
    await expect(page.getByText('SHA-256')).toHaveCount(0)
  }
})

story(
  'an auditor finds an evacuation, sees that it holds, takes it away, and can do nothing else',
  async ({ page, browser, stage }) => {
    const victim = await stage.victim()
    const context = await browser.newContext({ baseURL: stage.url })
    const admin = await context.newPage()
    await signIn(admin, 'Mika Kallio')
    await rowOf(admin, victim)
      .getByRole('button', { name: `Actions for ${victim}` })
      .click()
    await admin.getByRole('menuitem', { name: 'Evacuate…' }).click()
    await admin.getByRole('button', { name: `Evacuate ${victim}` }).click()
    await expect(admin.getByRole('dialog')).toContainText('It is done.')
    await context.close()

    await signIn(page, 'Ana Duarte', '/clusters/lab/history')
    const history = page.getByRole('table', { name: 'Access history' })
    const filter = page.getByRole('combobox', { name: 'Filter' })
    await filter.fill('who:Mika')
    await page.getByRole('option', { name: '"Mika Kallio"' }).click()
    await expect(filter).toHaveValue('who:"Mika Kallio"')
    // What the console did and what Incus told of it is one row.
    const row = history.getByRole('row', { name: `evacuated ${victim}` })
    await expect(row).toHaveCount(1)
    await expect(row).toContainText('Mika Kallio')
    await row.getByRole('button', { name: 'evacuated' }).click()

    const record = page.getByRole('complementary', { name: /^Record \d/ })
    await expect(record).toContainText('The role admin may do this.')
    const parts = record.getByRole('region', { name: 'Belongs to the same deed' })
    await expect(parts).toContainText(`began evacuating ${victim}`)
    await expect(parts).toContainText(`Incus on`)
    await expect(record.getByRole('region', { name: 'Chain' })).toContainText('the record before it')
    await expect(record.getByRole('region', { name: 'Chain' })).toContainText('hold')
    await page.keyboard.press('Escape')
    await expect(record).toHaveCount(0)

    // A value of a row is asked for by pressing it, and the link says so.
    await history.getByRole('button', { name: victim, exact: true }).first().click()
    await expect(filter).toHaveValue(`who:"Mika Kallio" to:${victim}`)
    expect(new URL(page.url()).searchParams.get('filter')).toContain(`to:${victim}`)

    await page.getByRole('button', { name: 'Export…' }).click()
    const downloading = page.waitForEvent('download')
    await page.getByRole('button', { name: 'Download' }).click()
    const lines = (await readFile(await (await downloading).path(), 'utf8')).trimEnd().split('\n')
    const exported = lines.map((line) => AuditRecord.parse(JSON.parse(line)))
    expect(exported.map(({ action }) => action)).toContain('member.evacuate')
    expect(exported.every(({ actor, object }) => actor?.name === 'Mika Kallio' && object === victim)).toBe(true)
    await page.keyboard.press('Escape')

    await filter.fill('what:audit.export')
    await filter.press('Enter')
    await expect(history.getByRole('row', { name: /Ana Duarte exported the access history/ })).toBeVisible()

    for (const path of ['members', 'certificates', 'trust', 'instances', 'operations', 'events']) {
      await page.goto(`/clusters/lab/${path}`)
      await expect(page.getByRole('alert').filter({ hasText: /role|allowed|may not/ })).toBeVisible()
      await expect(page.getByRole('table')).toHaveCount(0)
    }
  },
)
