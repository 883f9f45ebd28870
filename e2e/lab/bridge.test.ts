import { describe, expect, test } from 'vitest'
import { parseClaim } from './bridge.ts'

describe('a bridge', () => {
  test('says which lab it belongs to', () => {
    expect(parseClaim('mlab12', 'malleus-lab demo /run/malleus lab/demo')).toEqual({
      slot: 12,
      name: 'demo',
      stateDirectory: '/run/malleus lab/demo',
    })
  })

  test.each([
    ['br0', 'malleus-lab demo /run/x'],
    ['mlab0v1', 'malleus-lab demo /run/x'],
    ['mlab0', ''],
    ['mlab0', 'malleus-lab demo'],
    ['mlab0', 'somebody-else demo /run/x'],
  ])('that is not a lab (%s, "%s") is no claim', (link, alias) => {
    expect(parseClaim(link, alias)).toBeUndefined()
  })
})
