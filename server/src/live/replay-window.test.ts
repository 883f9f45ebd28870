import type { LiveEvent } from '@malleus/shared/api/live.ts'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ReplayWindow } from './replay-window.ts'

const changed = (cluster: string): LiveEvent => ({ kind: 'members-changed', cluster })

describe('the replay window', () => {
  it('continues a stream with every later event exactly once', () => {
    fc.assert(
      fc.property(fc.nat(200), fc.nat(200), (count, seen) => {
        const window = new ReplayWindow('e')
        const ids = [window.position]
        for (let n = 0; n < count; n++) ids.push(window.add(changed(String(n)), n).id)
        const from = Math.min(seen, count)
        expect(window.after(ids[from] ?? '')?.map(({ id }) => id)).toEqual(ids.slice(from + 1))
      }),
    )
  })

  it.each(['', 'e', 'e-', 'f-1', 'e-x', 'e-99', '-1', 'e-1-2', `e-${'9'.repeat(40)}`])(
    'cannot continue from %j',
    (id) => {
      const window = new ReplayWindow('e')
      window.add(changed('a'), 0)
      expect(window.after(id)).toBeNull()
    },
  )

  it('cannot continue from an event that is older than five minutes', () => {
    const window = new ReplayWindow('e')
    const first = window.add(changed('a'), 0)
    const second = window.add(changed('b'), 1)
    window.add(changed('c'), 300_001)
    expect(window.after(first.id)).toBeNull()
    expect(window.after(second.id)).toHaveLength(1)
  })

  it('keeps at most ten thousand events', () => {
    const window = new ReplayWindow('e')
    const start = window.position
    const first = window.add(changed('a'), 0)
    for (let n = 0; n < 10_000; n++) window.add(changed('b'), 0)
    expect(window.after(start)).toBeNull()
    expect(window.after(first.id)).toHaveLength(10_000)
  })
})
