import { expect, test } from 'vitest'
import { shortened } from './shortened.ts'

test('a short text stays as it is, and of a long one its beginning and its end are left', () => {
  expect(shortened('abc', 3)).toBe('abc')
  const text = shortened(`it began ${'x'.repeat(10_000)} and it ended`, 64)
  expect(text).toHaveLength(64)
  expect(text).toMatch(/^it began x+ … x+ and it ended$/)
})
