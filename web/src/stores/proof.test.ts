import { afterEach, expect, test } from 'vitest'
import { endProof, failProof, proofRequest, proveAgain } from './proof.ts'

afterEach(() => endProof(false))

test('two things that wait for a proof ask once, and both go on', async () => {
  const first = proveAgain()
  const asked = proofRequest.get()
  const second = proveAgain()
  expect(asked).toMatchObject({ id: expect.stringMatching(/^[0-9a-f-]{36}$/) as string, problem: null })
  expect(proofRequest.get()).toBe(asked)
  endProof(true)
  expect(await Promise.all([first, second])).toEqual([true, true])
  expect(proofRequest.get()).toBeNull()
})

test('whoever does not want to is asked anew the next time', async () => {
  const first = proveAgain()
  const { id } = proofRequest.get()!
  endProof(false)
  expect(await first).toBe(false)
  void proveAgain()
  expect(proofRequest.get()!.id).not.toBe(id)
})

test('an attempt that proved nothing leaves the question, with why; one of another page says nothing here', () => {
  void proveAgain()
  const { id } = proofRequest.get()!
  failProof('another', 'somebody_else')
  expect(proofRequest.get()).toMatchObject({ problem: null })
  failProof(id, 'somebody_else')
  expect(proofRequest.get()).toEqual({ id, problem: 'somebody_else' })
})
