import { StepUpProblem } from '@malleus/shared/api/session.ts'
import { expect, test } from 'vitest'
import { describeProofProblem } from './proof-words.ts'

test('every way in which a step-up proves nothing has words of its own, and so has one that is not known yet', () => {
  const told = [...StepUpProblem.options, 'from_a_newer_console'].map((word) => describeProofProblem(word))
  for (const { headline, text } of told) {
    expect(headline).toMatch(/\.$/)
    expect(text).toMatch(/\.$/)
  }
  expect(new Set(told.map(({ headline }) => headline)).size).toBe(told.length)
})
