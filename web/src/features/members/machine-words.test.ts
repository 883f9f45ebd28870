import { expect, test } from 'vitest'
import { describeSkew } from './machine-words.ts'

test.each([
  [0, 'same as this console', false],
  [-1400, 'same as this console', false],
  [3200, '3 s ahead of this console', false],
  [-12_000, '12 s behind this console', true],
])('%d ms', (ms, text, concerning) => expect(describeSkew(ms)).toEqual({ text, concerning }))
