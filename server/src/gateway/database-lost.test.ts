// What the door out does while the cluster database answers nobody, and with questions that only one member can answer.

import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { eventually } from '../../testing/eventually.ts'
import type { GatewayWorld } from '../../testing/gateway-world.ts'
import { startGatewayWorld } from '../../testing/gateway-world.ts'
import { DatabaseUnavailable } from './member-error.ts'
import type { ReadRequest } from './request.ts'

const any = { kind: 'any' } as const

function question(world: GatewayWorld, more: Partial<ReadRequest<unknown>> = {}): ReadRequest<unknown> {
  return { class: 'read', scope: world.console, target: any, path: '/projects', parse: z.unknown(), ...more }
}

/** As the probes see it once the database has gone. */
function loseDatabase({ board, cluster }: GatewayWorld): void {
  for (const name of cluster.members) board.observe(name, { kind: 'deep-failed', message: 'No answer within 2 s.' })
}

function askedOf({ cluster }: GatewayWorld, path: string): string[] {
  return cluster.requests.filter(({ url }) => url.startsWith(path)).map(({ member }) => member)
}

describe('T-never-twice: while the cluster database is lost', () => {
  it('a change is refused at once, with nothing sent, and goes through when it is back', async () => {
    await using world = await startGatewayWorld()
    const change = {
      scope: world.console,
      target: any,
      method: 'POST',
      path: '/cluster/members/server2/state',
      body: { action: 'evacuate', mode: '' },
      parse: z.unknown(),
    } as const
    loseDatabase(world)
    await expect(world.gateway.write(change)).rejects.toMatchObject({ code: 'database_unavailable', attempts: 0 })
    await expect(world.gateway.write(change)).rejects.toBeInstanceOf(DatabaseUnavailable)
    expect(world.cluster.requests).toEqual([])
    expect(world.cluster.executions).toEqual([])
    world.board.observe('server1', { kind: 'deep-answered' })
    await world.gateway.write(change)
    expect(world.cluster.executions).toHaveLength(1)
  })
})

describe('while the cluster database is lost', () => {
  it('questions that wait for it cast no doubt on members', async () => {
    await using world = await startGatewayWorld({ limits: { readMs: 300 }, cluster: { stuckLeaderMs: 60_000 } })
    loseDatabase(world)
    await world.cluster.break('server1', 'stuck')
    await expect(
      world.gateway.read(question(world, { target: { kind: 'member', name: 'server2' } })),
    ).rejects.toMatchObject({ code: 'deadline_exceeded' })
    expect(world.board.current('server2').standing).toBe('healthy')
    world.board.observe('server3', { kind: 'deep-answered' })
    await expect(
      world.gateway.read(question(world, { target: { kind: 'member', name: 'server2' } })),
    ).rejects.toMatchObject({ code: 'deadline_exceeded' })
    expect(world.board.current('server2').standing).toBe('suspect')
  })

  it('nobody is asked a second time for what waits for it, and everybody still for what a server says of itself', async () => {
    await using world = await startGatewayWorld({
      limits: { readMs: 500 },
      cluster: { stuckLeaderMs: 60_000 },
      hedging: { delayWithoutDataMs: 30 },
    })
    await world.cluster.break('server1', 'stuck')
    world.board.observe('server1', {
      kind: 'probe-failed',
      failure: { phase: 'tls', how: 'silent', fresh: true, message: 'No handshake.' },
    })
    loseDatabase(world)
    await expect(world.gateway.read(question(world))).rejects.toMatchObject({ code: 'deadline_exceeded' })
    expect(askedOf(world, '/1.0/projects')).toHaveLength(1)
    await world.gateway.read(question(world, { path: '' }))
  })
})

describe('a question that Incus would pass on', () => {
  it.each<[string, Partial<ReadRequest<unknown>>]>([
    ['/1.0/cluster/members/server3/state', { path: '/cluster/members/server3/state' }],
    ['/1.0/resources', { path: '/resources', query: { target: 'server3' }, class: 'list' }],
    ['/1.0/instances/c3', { path: '/instances/c3', on: 'server3' }],
  ])('%s is put to the member itself, and to nobody else when that is stuck', async (url, more) => {
    await using world = await startGatewayWorld({
      cluster: { instances: [{ name: 'c3', location: 'server3' }] },
      probed: true,
    })
    for (let turn = 0; turn < 4; turn += 1) await world.gateway.read(question(world, more))
    expect(askedOf(world, url)).toEqual(['server3', 'server3', 'server3', 'server3'])
    await world.cluster.break('server3', 'stuck')
    await eventually(
      () => world.board.current('server3').standing,
      (standing) => standing === 'ejected',
    )
    const before = askedOf(world, url).length
    const startedAt = performance.now()
    await expect(world.gateway.read(question(world, more))).rejects.toMatchObject({ code: 'member_unavailable' })
    expect(performance.now() - startedAt).toBeLessThan(100)
    expect(askedOf(world, url)).toHaveLength(before)
  })

  it('of which nobody knows to whom is put to one member at a time', async () => {
    await using world = await startGatewayWorld({
      cluster: { instances: [{ name: 'c3', location: 'server3' }], answerMs: 200 },
      hedging: { delayWithoutDataMs: 30, connectionAfterMs: 5_000 },
    })
    await world.gateway.read(question(world, { path: '/instances/c3', on: null }))
    expect(askedOf(world, '/1.0/instances/c3')).toHaveLength(1)
  })
})
