import { describe, expect, it } from 'vitest'
import { readListAnswer } from './list-answer.ts'

const health = {
  standing: 'healthy',
  symptom: null,
  since: '2026-01-01T00:00:00.000Z',
  answerMs: 1,
  answeredAt: '2026-01-01T00:00:00.000Z',
  failure: null,
}
const unknown = { value: null, freshness: { kind: 'unavailable', reason: 'not asked' } }

function consoleBody(...kinds: string[]): string {
  const members = kinds.map((kind, at) => ({
    name: `server${at}`,
    address: '127.0.0.1:8443',
    notContacted: null,
    reported: kind === 'unavailable' ? unknown : { value: reported, freshness: freshness(kind) },
    health,
    presented: null,
    load: unknown,
    memory: unknown,
    instances: unknown,
  }))
  return JSON.stringify({ members, groups: [], modes: { evacuate: [''], restore: [''] } })
}

const reported = {
  status: 'Online',
  message: '',
  roles: [],
  groups: [],
  failureDomain: 'default',
  architecture: 'x86_64',
  description: '',
  database: true,
}

function freshness(kind: string): object {
  return { kind, asOf: '2026-01-01T00:00:00.000Z', ...(kind === 'stale' ? { reason: 'silent' } : {}) }
}

function answered(body: string, status = 200) {
  return { kind: 'answered', startedAt: 0, ms: 1, status, body, reused: false } as const
}

describe('what a read of the members list brought', () => {
  it.each([
    ['the console, all fresh', answered(consoleBody('fresh', 'fresh')), 'fresh'],
    ['the console, one row stale', answered(consoleBody('fresh', 'stale')), 'stale'],
    ['the console, one row unknown', answered(consoleBody('fresh', 'unavailable')), 'none'],
    ['the console, a row short', answered(consoleBody('fresh')), 'none'],
    ['a member', answered('{"metadata":[{"server_name":"a"},{"server_name":"b"}]}'), 'fresh'],
    ['a member, a row short', answered('{"metadata":[{"server_name":"a"}]}'), 'none'],
    ['a problem', answered('{"title":"no"}', 503), 'none'],
    ['half an answer', answered('{"metadata":[{"server_na'), 'none'],
    ['no answer', { kind: 'failed', startedAt: 0, ms: 10_000, why: 'patience' } as const, 'none'],
  ])('%s: %s', (_, outcome, expected) => {
    expect(readListAnswer(outcome, 2)).toBe(expected)
  })
})
