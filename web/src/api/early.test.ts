import { afterEach, describe, expect, test, vi } from 'vitest'
import { takeEarly } from './early.ts'

const answer = Promise.resolve(new Response('{}'))

describe('what index.html asked for', () => {
  afterEach(() => vi.unstubAllGlobals())

  test('is taken once', () => {
    vi.stubGlobal('window', { malleusEarly: { '/session': answer } })
    expect(takeEarly('/session', 500)).toBe(answer)
    expect(takeEarly('/session', 501)).toBeUndefined()
  })

  test('is not taken when it has become old', () => {
    vi.stubGlobal('window', { malleusEarly: { '/session': answer } })
    expect(takeEarly('/session', 10_001)).toBeUndefined()
  })

  test('is taken for its own path alone', () => {
    vi.stubGlobal('window', { malleusEarly: { '/session': answer } })
    expect(takeEarly('/clusters', 500)).toBeUndefined()
  })

  test('is nothing where nothing was asked', () => {
    vi.stubGlobal('window', {})
    expect(takeEarly('/session', 500)).toBeUndefined()
  })
})
