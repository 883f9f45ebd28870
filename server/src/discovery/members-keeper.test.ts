import { IncusMember } from '@malleus/shared/incus/member.ts'
import { describe, expect, test } from 'vitest'
import { ManualClock } from '../../testing/manual-clock.ts'
import { openDatabase } from '../database/database.ts'
import { silentLogger } from '../lib/logger.ts'
import type { KeptMembersStore } from './kept-members-store.ts'
import { sqliteKeptMembersStore } from './kept-members-store.sqlite.ts'
import { MembersKeeper } from './members-keeper.ts'

function member(name: string, more: object = {}): IncusMember {
  return IncusMember.parse({ server_name: name, url: `https://${name}:8443`, roles: ['database'], ...more })
}

function keeperOf(store: KeptMembersStore, clock = new ManualClock(), trusted = 'a pin'): MembersKeeper {
  return new MembersKeeper({ store, cluster: 'prod', trusted, clock, logger: silentLogger })
}

describe('the kept list of members', () => {
  test('is there for the next console, with its age and without what people wrote into it', async () => {
    const database = await openDatabase(':memory:', 'malleus')
    const store = sqliteKeptMembersStore(database)
    const clock = new ManualClock()
    await keeperOf(store, clock).note([member('server1', { config: { 'user.note': 'a secret of ours' } })])
    const at = clock.now()
    await clock.pass(5_000)
    const kept = await keeperOf(store, clock).read()
    expect(kept).toEqual({ members: [member('server1')], at })
    expect(await keeperOf(store, clock, 'another pin').read()).toBeNull()
    await keeperOf(store, clock).note([member('server1'), member('server2')])
    expect((await keeperOf(store, clock).read())?.members.map(({ server_name }) => server_name)).toEqual([
      'server1',
      'server2',
    ])
    await database.close()
  })

  test('is written when something is different, and once a minute else', async () => {
    const written: string[] = []
    const store: KeptMembersStore = {
      read: async () => null,
      write: async (_cluster, _trusted, { members }) => void written.push(members.map(({ status }) => status).join()),
    }
    const clock = new ManualClock()
    const keeper = keeperOf(store, clock)
    await keeper.note([member('server1', { status: 'Online' })])
    await clock.pass(10_000)
    await keeper.note([member('server1', { status: 'Online', message: 'No heartbeat for 1 s' })])
    expect(written).toEqual(['Online'])
    await keeper.note([member('server1', { status: 'Offline' })])
    expect(written).toEqual(['Online', 'Offline'])
    await clock.pass(60_000)
    await keeper.note([member('server1', { status: 'Offline' })])
    expect(written).toEqual(['Online', 'Offline', 'Offline'])
  })

  test('is no condition for anything: a store that fails is tried again the next time', async () => {
    let tries = 0
    const store: KeptMembersStore = {
      read: () => Promise.reject(new Error('disk')),
      write: () => {
        tries += 1
        return Promise.reject(new Error('disk'))
      },
    }
    const keeper = keeperOf(store)
    await keeper.note([member('server1')])
    await keeper.note([member('server1')])
    expect(tries).toBe(2)
    expect(await keeper.read()).toBeNull()
  })
})
