import { expect } from '@playwright/test'
import { goTo, part, rowOf, signIn, story } from '../support/story.ts'

const payloads = [
  `<img src=x onerror=alert(1)>`,
  `"><script>alert(2)</script>`,
  `'-alert(3)-'`,
  `javascript:alert(4)`,
  `<svg onload=alert(5)><style>*{background:url(//elsewhere.example)}</style>`,
  `{{7*7}}\${7*7}<%= 7*7 %>`,
  `<iframe srcdoc="<script>parent.alert(6)</script>">`,
]

story('T-csp-zero: what looks like code in Incus is text on the page', async ({ page, stage }) => {
  const description = payloads.join(' ')
  await stage.describe('server2', description)
  try {
    await signIn(page, 'Mika Kallio', '/clusters/lab/members/server2')
    await expect(part(page, 'What the cluster says').getByText(description)).toBeVisible({ timeout: 20_000 })
    await goTo(page, 'Servers')
    await page.getByRole('searchbox', { name: 'Filter' }).fill('onerror')
    await expect(rowOf(page, 'server2')).toBeVisible()
    await goTo(page, 'Overview')
    await expect(rowOf(page, 'server2')).toBeVisible()
  } finally {
    await stage.describe('server2', '')
  }
})

story('T-csp-zero: what looks like code in a link is text on the page', async ({ page }) => {
  await signIn(page, 'Mika Kallio')
  const all = payloads.join(' ')
  const text = encodeURIComponent(all)
  await page.goto(`/clusters/lab/members?q=${text}&sort=${text}&show=${text}&target=${text}`)
  await expect(page.getByRole('searchbox', { name: 'Filter' })).toHaveValue(all)
  await expect(page.getByRole('alert').filter({ hasText: 'Your target cannot be used.' })).toContainText(all)
  await page.goto(`/sign-in?problem=${text}&returnTo=${text}#${text}`)
  await expect(page.getByRole('heading', { name: 'Sign in to Malleus' })).toBeVisible()

  // What a path may not hold (a slash in a name, what looks encoded twice) is not let in at all.
  const name = payloads.filter((payload) => !/[/%]/.test(payload)).join(' ')
  await page.goto(`/clusters/lab/members/${encodeURIComponent(name)}`)
  await expect(page.getByRole('heading', { level: 1 })).toContainText(name)
})

story('T-csp-zero: what the policy stops, these stories hear', async ({ page, complaints }) => {
  await page.goto('/')
  await expect(page.getByRole('heading', { name: 'Sign in to Malleus' })).toBeVisible()
  expect(complaints.take()).toEqual([])

  await page
    .evaluate(() => {
      const script = document.createElement('script')
      Reflect.set(script, 'text', 'alert(1)')
      document.body.append(script)
    })
    .catch(() => undefined)
  await expect.poll(() => complaints.take().join('\n')).toContain('require-trusted-types-for')

  await page.evaluate(() => {
    const image = document.createElement('img')
    image.src = 'https://elsewhere.example/'
    document.body.append(image)
  })
  await expect.poll(() => complaints.take().join('\n')).toContain('img-src stopped https://elsewhere.example')
})
