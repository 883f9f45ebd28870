import type { Target } from '@malleus/shared/domain/target.ts'
import { afterEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { GatewayWorld, GatewayWorldOptions } from '../../testing/gateway-world.ts'
import { startGatewayWorld } from '../../testing/gateway-world.ts'
import type { MemberErrorKind } from './member-error.ts'
import { MemberError, NoResponsiveMember, OutcomeUnknown } from './member-error.ts'
import type { RequestEnd } from './request-end.ts'
import { endOf } from './request-end.ts'

const any: Target = { kind: 'any' }
const only = (name: string): Target => ({ kind: 'member', name })

function failed(kind: MemberErrorKind, member: string, status?: number): MemberError {
  return new MemberError({
    kind,
    member,
    phase: 'answer',
    sent: true,
    message: 'x',
    ...(status !== undefined && { status }),
  })
}

describe('what a failed request says of the members', () => {
  const nobody = (code: NoResponsiveMember['code'], ...failures: MemberError[]) =>
    new NoResponsiveMember(code, 'x', failures, failures.length)

  it.each<[string, unknown, Target, ReturnType<typeof endOf>]>([
    [
      'all that were asked in vain, each once',
      nobody('no_responsive_member', failed('timed-out', 'a'), failed('reset', 'b'), failed('reset', 'a')),
      any,
      { via: null, silent: ['a', 'b'] },
    ],
    [
      'not those that answered, were busy or were left',
      nobody('deadline_exceeded', failed('incus', 'a', 500), failed('busy', 'b'), failed('cancelled', 'c')),
      any,
      { via: null, silent: [] },
    ],
    [
      'the chosen one that was known not to answer',
      nobody('member_unavailable'),
      only('a'),
      { via: null, silent: ['a'] },
    ],
    [
      'the one that a change was sent to',
      new OutcomeUnknown(failed('reset', 'a'), 1),
      any,
      { via: null, silent: ['a'] },
    ],
    ['nobody, where Incus said no', failed('incus', 'a', 404), any, { via: 'a', silent: [] }],
    ['nothing, when it was given up', failed('cancelled', 'a'), any, null],
    ['nothing, when there was no room for it', nobody('member_busy', failed('busy', 'a')), any, null],
    ['nothing, when the console itself failed', new TypeError('x'), any, null],
  ])('%s', (_, error, target, end) => {
    expect(endOf(error, { target })).toEqual(end)
  })
})

describe('the gateway tells', () => {
  const worlds: GatewayWorld[] = []
  afterEach(async () => {
    for (const world of worlds.splice(0)) await world[Symbol.asyncDispose]()
  })

  // A busy machine makes even a healthy member late, and then a second one is asked.
  const patient = { delayWithoutDataMs: 5_000, delayMostMs: 5_000, connectionAfterMs: 5_000 }

  async function start(options: GatewayWorldOptions = {}) {
    const ends: RequestEnd[] = []
    const world = await startGatewayWorld({ ...options, onEnd: (end) => ends.push(end) })
    worlds.push(world)
    const path = '/cluster/members'
    const read = (target: Target) =>
      world.gateway.read({ class: 'read', scope: world.console, target, path, parse: z.unknown() })
    return { world, ends, read }
  }

  it('who answered, for whom, and that nobody was asked in vain', async () => {
    const { ends, read } = await start({ hedging: patient })
    await read(only('server1'))
    expect(ends).toMatchObject([{ class: 'read', scope: 'console', via: 'server1', silent: [] }])
    expect(ends[0]?.tookMs).toBeGreaterThan(0)
  })

  it('which member did not answer in time, when another one did', async () => {
    const { world, ends, read } = await start({ hedging: { ...patient, delayMostMs: 100 } })
    world.cluster.setLeader('server2')
    for (const name of world.cluster.members) await read(only(name))
    await world.cluster.break('server1', 'stuck')
    const inTurn = async () => {
      await read(any)
      return ends.at(-1)?.silent
    }
    await expect.poll(inTurn, { timeout: 10_000 }).toEqual(['server1'])
    expect(ends.at(-1)?.via).toMatch(/server[23]/)
  })
})
