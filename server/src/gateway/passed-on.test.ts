import { describe, expect, it } from 'vitest'
import type { OnlyAnswerer } from './passed-on.ts'
import { onlyAnswerer } from './passed-on.ts'

describe('who alone can answer', () => {
  it.each<[string, Readonly<Record<string, string>>, OnlyAnswerer]>([
    ['', {}, null],
    ['/cluster/members', { recursion: '1' }, null],
    ['/cluster/members/server3', {}, null],
    ['/cluster/members/server3/state', {}, { name: 'server3' }],
    ['/cluster/members/db%20one/state', {}, { name: 'db one' }],
    ['/cluster/members/server3/state/more', {}, null],
    ['/cluster/certificate', {}, null],
    ['/resources', { target: 'server3' }, { name: 'server3' }],
    ['', { target: 'server3' }, { name: 'server3' }],
    ['/storage-pools/local/resources', { target: 'server2' }, { name: 'server2' }],
    ['/instances', { target: '@fast' }, null],
    ['/instances', { target: '' }, null],
    ['/instances', { recursion: '1' }, null],
    ['/profiles/default', { project: 'web' }, null],
  ])('of %s with %j', (path, query, answerer) => expect(onlyAnswerer({ path, query })).toEqual(answerer))

  it('is what whoever asks knows of it', () => {
    const path = '/instances/web-07'
    expect(onlyAnswerer({ path, on: 'server3' })).toEqual({ name: 'server3' })
    expect(onlyAnswerer({ path, on: null })).toBe('unknown')
    expect(onlyAnswerer({ path })).toBeNull()
  })
})
