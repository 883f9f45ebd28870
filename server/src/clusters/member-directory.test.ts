import { describe, expect, it, vi } from 'vitest'
import { parseEndpoint } from './endpoint.ts'
import type { KnownMember } from './member-directory.ts'
import { MemberDirectory } from './member-directory.ts'

const seeds = [parseEndpoint('10.20.0.11:8443'), parseEndpoint('10.20.0.12:8443')]

function member(name: string, more: Partial<KnownMember> = {}): KnownMember {
  return { name, endpoint: parseEndpoint('10.20.0.11:8443'), groups: ['default'], contacted: true, why: null, ...more }
}

describe('MemberDirectory', () => {
  it('begins with the seeds under their address', () => {
    const directory = new MemberDirectory(seeds)
    expect(directory.list().map(({ name }) => name)).toEqual(['10.20.0.11:8443', '10.20.0.12:8443'])
    expect(directory.get('10.20.0.11:8443')).toMatchObject({ contacted: true, why: null, groups: [] })
  })

  it('is what discovery says from then on', () => {
    const directory = new MemberDirectory(seeds)
    directory.replace([member('server1'), member('server2', { contacted: false, why: 'outside' })])
    expect(directory.list().map(({ name }) => name)).toEqual(['server1', 'server2'])
    expect(directory.get('10.20.0.11:8443')).toBeUndefined()
    expect(directory.get('server2')?.why).toBe('outside')
  })

  it.each<[string, KnownMember[]]>([
    ['another member', [member('server1'), member('server2')]],
    ['no member', []],
    ['another name', [member('server9')]],
    ['another address', [member('server1', { endpoint: parseEndpoint('10.20.0.19:8443') })]],
    ['another port', [member('server1', { endpoint: parseEndpoint('10.20.0.11:8444') })]],
    ['another group', [member('server1', { groups: ['default', 'edge'] })]],
    ['whether it is contacted', [member('server1', { contacted: false })]],
    ['why it is not', [member('server1', { why: 'outside' })]],
  ])('tells its listeners of %s', (_, members) => {
    const directory = new MemberDirectory([])
    directory.replace([member('server1')])
    const listener = vi.fn<(members: readonly KnownMember[]) => void>()
    directory.subscribe(listener)
    directory.replace(members)
    expect(listener).toHaveBeenCalledExactlyOnceWith(members)
  })

  it('says nothing when nothing is different', () => {
    const directory = new MemberDirectory([])
    directory.replace([member('server1')])
    const before = directory.list()
    const listener = vi.fn<(members: readonly KnownMember[]) => void>()
    directory.subscribe(listener)
    directory.replace([member('server1')])
    expect(listener).not.toHaveBeenCalled()
    expect(directory.list()).toBe(before)
  })

  it('refuses two members of one name', () => {
    const directory = new MemberDirectory([])
    expect(() => directory.replace([member('server1'), member('server1')])).toThrow(RangeError)
  })
})
