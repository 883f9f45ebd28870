import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { IncusReply, Nothing, listOf, mapOf } from './reply.ts'

/** As Incus writes it: every key is there, whatever the type. */
const zero = { type: '', status: '', status_code: 0, operation: '', error_code: 0, error: '', metadata: null }

describe('the envelope', () => {
  it('is told by its type alone', () => {
    expect(IncusReply.parse({ ...zero, type: 'sync', status: 'Success', status_code: 200, metadata: ['a'] })).toEqual({
      type: 'sync',
      metadata: ['a'],
    })
    const operation = '/1.0/operations/6b1c?project=default'
    expect(IncusReply.parse({ ...zero, type: 'async', status_code: 100, operation, metadata: {} })).toEqual({
      type: 'async',
      operation,
      metadata: {},
    })
    expect(IncusReply.parse({ ...zero, type: 'error', error_code: 404, error: 'Instance not found' })).toEqual({
      type: 'error',
      error_code: 404,
      error: 'Instance not found',
    })
  })

  it.each([
    ['another type', { ...zero, type: 'other' }],
    ['no type', { metadata: {} }],
    ['an operation without a path', { ...zero, type: 'async' }],
    ['a list', []],
    ['nothing', null],
    ['text', 'sync'],
  ])('is not %s', (_, value) => {
    expect(IncusReply.safeParse(value).success).toBe(false)
  })
})

describe('what Incus leaves out', () => {
  it('an empty list is null', () => {
    expect(listOf(z.string()).parse(null)).toEqual([])
    expect(listOf(z.string()).parse(undefined)).toEqual([])
    expect(listOf(z.string()).parse(['a'])).toEqual(['a'])
    expect(listOf(z.string()).safeParse([1]).success).toBe(false)
  })

  it('an empty map is null or missing', () => {
    expect(mapOf(z.string()).parse(null)).toEqual({})
    expect(z.object({ config: mapOf(z.string()) }).parse({})).toEqual({ config: {} })
    expect(mapOf(z.string()).parse({ a: 'b' })).toEqual({ a: 'b' })
  })

  it('a change has nothing to tell', () => {
    for (const metadata of [{}, null, undefined, { a: 1 }]) expect(Nothing.parse(metadata)).toBeNull()
  })
})
