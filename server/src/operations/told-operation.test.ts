import { IncusOperation } from '@malleus/shared/incus/operation.ts'
import { describe, expect, it, test } from 'vitest'
import { toldOperation } from './told-operation.ts'

function told(fields: object): string {
  const operation = IncusOperation.parse({
    id: 'op1',
    class: 'websocket',
    created_at: '2026-01-01T00:00:00Z',
    updated_at: '2026-01-01T00:00:00Z',
    status_code: 103,
    ...fields,
  })
  return JSON.stringify(toldOperation(operation))
}

describe('what is kept of the record of Incus', () => {
  test.each([
    ['the secrets of a terminal', { metadata: { fds: { 0: 'canary', control: 'canary' } } }],
    ['the secret of a token', { metadata: { secret: 'canary', request: { name: 'x', trust_token: 'canary' } } }],
    ['arguments of a command', { metadata: { command: ['mysql', '--user=x', '-pcanary'] } }],
    ['its environment', { metadata: { environment: { DATABASE_URL: 'canary' } } }],
    ['who may have an image', { metadata: { download_progress: 'https://jo:canary@images.example.net/x 7%' } }],
    ['secrets at any depth', { metadata: { a: { b: [{ client_secret: 'canary' }] } } }],
    ['fields of a newer Incus', { something: { api_key: 'canary' } }],
    ['a key that is one', { metadata: { 'https://jo:canary@images.example.net/': 'x' } }],
  ])('has nothing of %s', (_, fields) => expect(told(fields)).not.toContain('canary'))

  it('has all the rest, in the form of Incus', () => {
    const metadata = { evacuation_progress: 'Migrating "c1"', progress: { percent: '42' }, command: ['sh'] }
    const resources = { instances: ['/1.0/instances/c1?project=web'] }
    expect(JSON.parse(told({ metadata, resources, requestor: { username: 'jo' } }))).toMatchObject({
      id: 'op1',
      class: 'websocket',
      status_code: 103,
      metadata,
      resources,
      requestor: { username: 'jo' },
    })
  })

  it('is never large', () => {
    const many = Object.fromEntries(Array.from({ length: 1_000 }, (_, at) => [`k${at}`, 'x'.repeat(10_000)]))
    expect(told({ metadata: { a: many, b: many, c: many } }).length).toBeLessThan(32 * 1024)
  })

  it('ends where a record is too deep', () => {
    let deep: object = { end: 'canary' }
    for (let at = 0; at < 50; at += 1) deep = { deeper: deep }
    expect(told({ metadata: deep })).not.toContain('canary')
  })
})
