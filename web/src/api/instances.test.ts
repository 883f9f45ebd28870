import type { Instance } from '@malleus/shared/api/instances.ts'
import { describe, expect, it } from 'vitest'
import { withChanges, type InstanceList } from './instances.ts'

function instance(name: string, status: string | null = 'Running'): Instance {
  const unknown = { type: null, architecture: null, profiles: null, description: null, image: null, addresses: null }
  return { name, project: 'default', location: 'server1', status, createdAt: null, lastUsedAt: null, ...unknown }
}

const freshness = { kind: 'fresh', asOf: '2026-11-22T06:11:01.000Z' } as const
const before: InstanceList = { revision: 'e.1', instances: [instance('a'), instance('b')], freshness, members: [] }
const reply = { revision: 'e.2', whole: false, instances: [], gone: [], freshness, members: [] }
const names = ({ instances }: InstanceList) => instances.map(({ name, status }) => `${name} ${status}`)

describe('a list of instances', () => {
  it('is what the console says at first, and where it says everything again', () => {
    expect(names(withChanges(undefined, { ...reply, instances: [instance('x')] }))).toEqual(['x Running'])
    expect(names(withChanges(before, { ...reply, whole: true, instances: [instance('x')] }))).toEqual(['x Running'])
  })

  it('keeps its rows, and the very list, where nothing has changed', () => {
    const after = withChanges(before, reply)
    expect(after.instances).toBe(before.instances)
    expect(after.revision).toBe('e.2')
  })

  it('takes changes in their place, new ones at its end, and lets go what is gone', () => {
    const after = withChanges(before, {
      ...reply,
      instances: [instance('a', 'Stopped'), instance('c')],
      gone: ['default/b'],
    })
    expect(names(after)).toEqual(['a Stopped', 'c Running'])
    expect(withChanges(before, { ...reply, instances: [instance('c')] }).instances[0]).toBe(before.instances[0])
  })

  it('has what went and came again under the same name', () => {
    expect(
      names(withChanges(before, { ...reply, instances: [instance('a', 'Stopped')], gone: ['default/a'] })),
    ).toEqual(['a Stopped', 'b Running'])
  })
})
