import type { Target } from '@malleus/shared/domain/target.ts'
import { afterEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { GatewayWorld, GatewayWorldOptions } from '../../testing/gateway-world.ts'
import { startGatewayWorld } from '../../testing/gateway-world.ts'
import type { AttemptFailure, CarriedEnd, GatewayWatch } from './gateway-watch.ts'
import { attemptFailure } from './gateway-watch.ts'
import type { MemberErrorKind } from './member-error.ts'
import { MemberError } from './member-error.ts'

const only = (name: string): Target => ({ kind: 'member', name })

interface Heard {
  readonly carried: { class: string; end: CarriedEnd; attempts: number; hedged: boolean }[]
  readonly begun: string[]
  readonly answered: string[]
  readonly failed: string[]
}

const worlds: GatewayWorld[] = []
afterEach(async () => {
  for (const world of worlds.splice(0)) await world[Symbol.asyncDispose]()
})

async function start(options: GatewayWorldOptions = {}) {
  const heard: Heard = { carried: [], begun: [], answered: [], failed: [] }
  const watch: GatewayWatch = {
    carried: (requestClass, end, attempts, hedged, tookMs) => {
      expect(tookMs).toBeGreaterThanOrEqual(0)
      heard.carried.push({ class: requestClass, end, attempts, hedged })
    },
    begun: (member, requestClass) => heard.begun.push(`${member} ${requestClass}`),
    answered: (member, requestClass) => heard.answered.push(`${member} ${requestClass}`),
    failed: (member, requestClass, failure) => heard.failed.push(`${member} ${requestClass} ${failure}`),
  }
  const world = await startGatewayWorld({ ...options, watch })
  worlds.push(world)
  const read = (target: Target, path = '/cluster/members', deadlineMs = 5_000) =>
    world.gateway.read({ class: 'read', scope: world.console, target, path, parse: z.unknown(), deadlineMs })
  return { world, heard, read }
}

describe('who watches the gateway hears', () => {
  // A busy machine makes even a healthy member late, and then a second one is asked.
  const patient = { delayWithoutDataMs: 5_000, delayMostMs: 5_000, connectionAfterMs: 5_000 }

  it('of an answered read: one attempt at one member', async () => {
    const { heard, read } = await start({ hedging: patient })
    await read(only('server1'))
    expect(heard).toEqual({
      carried: [{ class: 'read', end: 'answered', attempts: 1, hedged: false }],
      begun: ['server1 read'],
      answered: ['server1 read'],
      failed: [],
    })
  })

  it('that an answer which refuses is not a failure of the member', async () => {
    const { heard, read } = await start({ hedging: patient })
    await expect(read(only('server1'), '/instances/none')).rejects.toThrow('not found')
    expect(heard.carried).toEqual([{ class: 'read', end: 'not_found', attempts: 1, hedged: false }])
    expect(heard.failed).toEqual(['server1 read incus-refused'])
  })

  it('of a hedge, and of the member that made it necessary', async () => {
    const { world, heard, read } = await start({ hedging: { ...patient, delayMostMs: 100 } })
    world.cluster.setLeader('server2')
    for (const name of world.cluster.members) await read(only(name))
    await world.cluster.break('server1', 'stuck')
    const inTurn = async () => {
      await read({ kind: 'any' })
      return heard.carried.at(-1)
    }
    await expect
      .poll(inTurn, { timeout: 10_000 })
      .toEqual({ class: 'read', end: 'answered', attempts: 2, hedged: true })
    expect(heard.begun.slice(-2)[0]).toBe('server1 read')
    await expect.poll(() => heard.failed, { timeout: 10_000 }).toContain('server1 read silent')
  })

  it('of a member that refuses connections, and that there was nobody else', async () => {
    const { world, heard, read } = await start({ hedging: patient })
    await world.cluster.break('server1', 'refusing')
    await expect(read(only('server1'))).rejects.toThrow('server1 refuses')
    expect(heard.carried).toMatchObject([{ end: 'member_unavailable', attempts: 1 }])
    expect(heard.failed).toEqual(['server1 read refused'])
  })

  it('of a request that nobody could be asked for', async () => {
    const { heard, read } = await start()
    await expect(read(only('server9'))).rejects.toThrow('server9')
    expect(heard.carried).toMatchObject([{ end: 'member_unavailable', attempts: 0 }])
    expect(heard.begun).toEqual([])
  })

  it('of a change', async () => {
    const { world, heard } = await start({ hedging: patient })
    const body = { action: 'evacuate' }
    const path = '/cluster/members/server2/state'
    const to = { scope: world.console, target: only('server1'), method: 'POST', path, body } as const
    await world.gateway.write({ ...to, parse: z.unknown() })
    expect(heard.carried).toEqual([{ class: 'mutate', end: 'answered', attempts: 1, hedged: false }])
    expect(heard.answered).toEqual(['server1 mutate'])
  })

  it('of a stream that is opened, and of one that is not', async () => {
    const { world, heard } = await start()
    const handlers = { onEvent: () => {}, onPing: () => {} }
    const socket = await world.gateway.openEvents('server1', world.console, { type: 'lifecycle' }, handlers)
    socket.close()
    await world.cluster.break('server2', 'refusing')
    await expect(world.gateway.openEvents('server2', world.console, {}, handlers)).rejects.toThrow('refuses')
    expect(heard.begun).toEqual(['server1 stream', 'server2 stream'])
    expect(heard.failed).toEqual(['server2 stream refused'])
  })

  it('how much is in use when somebody asks', async () => {
    const { world, read } = await start({ hedging: { ...patient, budgetCapacity: 7 } })
    expect(world.gateway.load()).toEqual({ budget: 7, withheld: 0, members: [] })
    await world.cluster.break('server1', 'stuck')
    const asking = read(only('server1'), '/cluster/members', 300)
    await expect
      .poll(() => world.gateway.load().members)
      .toEqual([{ member: 'server1', kind: 'read', taken: 1, waiting: 0, most: 64 }])
    await expect(asking).rejects.toThrow('0.3 s')
    expect(world.gateway.load().members).toMatchObject([{ taken: 0 }])
  })
})

describe('an attempt failed', () => {
  const error = (kind: MemberErrorKind, status?: number) =>
    new MemberError({ kind, member: 'server1', phase: 'answer', sent: true, message: '', ...(status && { status }) })

  it.each<[MemberErrorKind, number | undefined, AttemptFailure]>([
    ['refused', undefined, 'refused'],
    ['timed-out', undefined, 'timed-out'],
    ['bad-reply', 302, 'bad-reply'],
    ['incus', 404, 'incus-refused'],
    ['incus', 412, 'incus-refused'],
    ['incus', 500, 'incus-failed'],
    ['incus', 503, 'incus-failed'],
  ])('%s %s: %s', (kind, status, failure) => {
    expect(attemptFailure(error(kind, status))).toBe(failure)
  })
})
