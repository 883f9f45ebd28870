import { describe, expect, test } from 'vitest'
import { ManualClock } from '../../testing/manual-clock.ts'
import type { Scope } from '../gateway/scope.ts'
import { StreamRenewal } from './stream-renewal.ts'

const minute = 60_000

async function world(members: readonly string[], kind: 'bearer' | 'console' = 'bearer') {
  const clock = new ManualClock()
  const abandoned: string[] = []
  const signIn = { token: 'first' as string | null }
  const accessToken = () =>
    signIn.token === null ? Promise.reject(new Error('the session has ended')) : Promise.resolve(signIn.token)
  const scope: Scope = kind === 'console' ? { kind } : { kind, iss: 'https://idp.example.net', sub: 'ada', accessToken }
  const renewal = new StreamRenewal({
    feed: () => ({
      members,
      // It is opened again at once, as a feed does.
      abandon: (member) => {
        abandoned.push(member)
        void renewal.opening(member)
      },
    }),
    scope: () => scope,
    clock,
  })
  for (const member of members) await renewal.opening(member)
  renewal.start()
  return { clock, renewal, abandoned, signIn }
}

describe("a person's event streams", () => {
  test('stay while the sign-in is what it was', async () => {
    const { clock, abandoned } = await world(['server1', 'server2'])
    await clock.pass(10 * minute)
    expect(abandoned).toEqual([])
  })

  test('are opened anew after a renewal, one after the other, once', async () => {
    const { clock, abandoned, signIn } = await world(['server1', 'server2'])
    signIn.token = 'second'
    await clock.pass(minute)
    expect(abandoned).toEqual(['server1'])
    await clock.pass(minute)
    expect(abandoned).toEqual(['server1', 'server2'])
    await clock.pass(10 * minute)
    expect(abandoned).toHaveLength(2)
  })

  test('stay where there is only one: nobody would hear meanwhile', async () => {
    const { clock, abandoned, signIn } = await world(['server1'])
    signIn.token = 'second'
    await clock.pass(5 * minute)
    expect(abandoned).toEqual([])
  })

  test('are left alone when the session has ended or cannot be renewed now', async () => {
    const { clock, abandoned, signIn } = await world(['server1', 'server2'])
    signIn.token = null
    await clock.pass(5 * minute)
    expect(abandoned).toEqual([])
    signIn.token = 'second'
    await clock.pass(minute)
    expect(abandoned).toEqual(['server1'])
  })

  test('are looked after no more once nobody watches', async () => {
    const { clock, renewal, abandoned, signIn } = await world(['server1', 'server2'])
    renewal.stop()
    signIn.token = 'second'
    await clock.pass(5 * minute)
    expect(abandoned).toEqual([])
  })
})

test("the console's own streams have no sign-in", async () => {
  const { clock, abandoned } = await world(['server1', 'server2'], 'console')
  await clock.pass(5 * minute)
  expect(abandoned).toEqual([])
})
