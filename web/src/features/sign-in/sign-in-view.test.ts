import { signInProblems } from '@malleus/shared/api/session.ts'
import { expect, test } from 'vitest'
import { describeRefusal } from './sign-in-view.ts'

test('a person without a role is told what to ask for', () => {
  const { headline, text } = describeRefusal('no_role')
  expect(headline).toBe('You are known, but have no role here.')
  expect(text).toContain('Ask an administrator to add you to a group with the role viewer, operator, admin or auditor')
})

test('a provider that is down is not blamed on the person', () => {
  expect(describeRefusal('provider_unavailable').headline).toBe('The identity provider does not answer.')
})

test('every reason has words of its own, and one that is newer than this page has some too', () => {
  const all = [...signInProblems, 'a-newer-one'].map(describeRefusal)
  for (const { headline, text } of all) {
    expect(headline).toMatch(/\.$/)
    expect(text.length).toBeGreaterThan(20)
  }
  expect(new Set(all.map(({ headline }) => headline)).size).toBe(all.length)
})
