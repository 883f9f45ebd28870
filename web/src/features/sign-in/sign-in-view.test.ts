import { problemCodes } from '@malleus/shared/api/problem.ts'
import { expect, test } from 'vitest'
import { describeRefusal } from './sign-in-view.ts'

test('a person without a role is told as whom they are known, and what to ask for', () => {
  const { headline, text } = describeRefusal('no_role', 'jo@example.net')
  expect(headline).toBe('You are known, but have no role here.')
  expect(text).toBe(
    'The provider knows you as jo@example.net, and none of your groups has a role in this console. Ask an administrator to add you to a group with the role viewer, operator, admin or auditor, then try again.',
  )
  expect(describeRefusal('no_role', undefined).text).toMatch(/^The provider knows you, and none/)
})

test('a provider that is down is not blamed on the person', () => {
  expect(describeRefusal('provider_unavailable', undefined).headline).toBe('The identity provider does not answer.')
})

test('every code has words', () => {
  for (const code of [...problemCodes, 'a-newer-one']) {
    const { headline, text } = describeRefusal(code, undefined)
    expect(headline).toMatch(/\.$/)
    expect(text.length).toBeGreaterThan(20)
  }
})
