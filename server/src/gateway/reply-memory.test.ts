import { expect, test } from 'vitest'
import { z } from 'zod'
import type { WireReply } from './exchange.ts'
import { MemberError } from './member-error.ts'
import { ReplyMemory } from './reply-memory.ts'

const Names = z.object({ names: z.array(z.string()) })
const context = { member: 'server1', bearer: true, parse: Names }

function reply(metadata: unknown, { status = 200, etag }: { status?: number; etag?: string } = {}): WireReply {
  const envelope = status === 200 ? { type: 'sync', metadata } : { type: 'error', error: 'no', error_code: status }
  return { status, headers: { etag }, body: Buffer.from(JSON.stringify(envelope)), answeredAt: 0 }
}

test('the same bytes are the same value', () => {
  const memory = new ReplyMemory()
  const first = memory.read('/1.0/x', reply({ names: ['a'] }), context)
  const second = memory.read('/1.0/x', reply({ names: ['a'] }), { ...context, member: 'server2' })
  expect(second.value).toBe(first.value)
})

test('one byte of difference is another value', () => {
  const memory = new ReplyMemory()
  memory.read('/1.0/x', reply({ names: ['a'] }), context)
  expect(memory.read('/1.0/x', reply({ names: ['b'] }), context).value).toEqual({ names: ['b'] })
  expect(memory.read('/1.0/x', reply({ names: ['a'] }), context).value).toEqual({ names: ['a'] })
})

test('the same bytes read by another schema are read anew', () => {
  const memory = new ReplyMemory()
  memory.read('/1.0/x', reply({ names: ['a'] }), context)
  const upper = { ...context, parse: z.object({ names: z.array(z.string().toUpperCase()) }) }
  expect(memory.read('/1.0/x', reply({ names: ['a'] }), upper).value).toEqual({ names: ['A'] })
})

test('the ETag is that of the answer at hand', () => {
  const memory = new ReplyMemory()
  memory.read('/1.0/x', reply({ names: [] }, { etag: 'one' }), context)
  expect(memory.read('/1.0/x', reply({ names: [] }, { etag: 'two' }), context).etag).toBe('two')
})

test('a refusal is never taken for what was answered before, nor remembered', () => {
  const memory = new ReplyMemory()
  memory.read('/1.0/x', reply({ names: ['a'] }), context)
  expect(() => memory.read('/1.0/x', reply(null, { status: 403 }), context)).toThrow(MemberError)
  const asRefused = { ...reply({ names: ['a'] }), status: 403 }
  expect(() => memory.read('/1.0/x', asRefused, context)).toThrow(MemberError)
})

test('nobody can change what others are given', () => {
  const { value } = new ReplyMemory().read('/1.0/x', reply({ names: ['a'] }), context)
  expect(() => value.names.push('b')).toThrow(TypeError)
})

test('a large answer is read, and not kept', () => {
  const memory = new ReplyMemory()
  const large = { names: Array.from({ length: 20_000 }, () => 'name') }
  const first = memory.read('/1.0/x', reply(large), context)
  expect(memory.read('/1.0/x', reply(large), context).value).not.toBe(first.value)
})
