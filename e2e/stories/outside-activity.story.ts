import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from '@playwright/test'
import { expect } from '@playwright/test'
import { plainEnvironment, run } from '../lab/command.ts'
import { signIn, story } from '../support/story.ts'
import type { Stage } from '../support/stage.ts'

const long = process.env['MALLEUS_LONG'] === '1'

story('what a command line does and reads, and who is refused, is in the history', async ({ page, stage }) => {
  const { lab } = stage
  const [first, , last] = lab.members
  if (first === undefined || last === undefined) throw new Error('there are three servers')
  const address = await lab.addNeighbour('outside', 9)
  const home = await mkdtemp(join(tmpdir(), 'malleus-outside-'))
  const incus = (...words: readonly string[]) =>
    run([...lab.enter('outside'), 'incus', ...words], {
      environment: { ...plainEnvironment, HOME: home, INCUS_CONF: join(home, 'incus') },
    })
  try {
    await untilFollowed(stage)
    await incus('remote', 'add', '--quiet', 'lab', await lab.trustToken('outside'))
    await incus('profile', 'create', 'lab:told')
    await incus('profile', 'show', 'lab:told')
    await lab.incus(['profile', 'delete', 'told'])
    await run([...lab.enter('outside'), process.execPath, '-e', knock(last.address)])

    await signIn(page, 'Ana Duarte', '/clusters/lab/history')
    const created = row(page, /created profile/).filter({ hasText: 'told' })
    await expect(created).toContainText('tls')
    await expect(created).toContainText(address)
    await expect(row(page, /deleted profile/).filter({ hasText: 'told' })).toContainText('unix')
    const refused = row(page, /A stranger was refused/).filter({ hasText: address })
    await expect(refused).toContainText(last.name)
    await expect(row(page, /asked GET/)).toHaveCount(0)

    await page.getByRole('checkbox', { name: 'Reads too' }).check()
    await expect(row(page, /asked GET \/1\.0\/profiles\/told/).filter({ hasText: address })).toBeVisible()

    // What was asked and what came of it is one row that opens into both.
    await created.getByRole('button', { name: /created profile/ }).click()
    await expect(page.getByText(`with a client certificate from ${address}`)).toBeVisible()
  } finally {
    await rm(home, { recursive: true, force: true })
  }
})

story('a server that is cut off leaves a gap in the history', async ({ page, stage }) => {
  story.skip(!long, 'takes a minute, and is done in the long run: npm run test:long')
  story.setTimeout(180_000)
  await untilFollowed(stage)
  const victim = await stage.victim()
  await signIn(page, 'Ana Duarte', '/clusters/lab/history')
  await stage.lab.break(victim, 'cut-off')
  await page.waitForTimeout(60_000)
  await stage.lab.mend(victim)
  const gap = row(page, /was not listened to/).filter({ hasText: victim })
  await expect(gap.first()).toBeVisible({ timeout: 30_000 })
})

function row(page: Page, text: RegExp) {
  return page.getByRole('table', { name: 'Access history' }).getByRole('row', { name: text })
}

/** Asks, as nobody, for what only people whom the cluster trusts are told. */
function knock(host: string): string {
  return `require('node:https').get({ host: '${host}', port: 8443, path: '/1.0/instances', rejectUnauthorized: false }, (reply) => process.exit(reply.statusCode === 403 ? 0 : 1))`
}

/** A console that has just been started reads the logs of the servers once it knows them. */
async function untilFollowed({ managementUrl }: Stage): Promise<void> {
  await expect
    .poll(
      async () =>
        (await (await fetch(`${managementUrl}/metrics`)).text()).match(
          /malleus_request_log_streams\{[^}]*\} (\d+)/,
        )?.[1],
    )
    .toBe('3')
}
