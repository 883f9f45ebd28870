import { IncusOperation } from '@malleus/shared/incus/operation.ts'
import { describe, expect, test } from 'vitest'
import { parseTrustToken } from '../cli/trust-token.ts'
import { addCommand, pendingToken, tokenText } from './trust-token.ts'

const fingerprint = 'ab'.repeat(32)
const nobody = { madeBy: null, withdrawnAt: null }

function operation(more: Record<string, unknown> = {}, metadata: Record<string, unknown> = {}): IncusOperation {
  return IncusOperation.parse({
    id: 'a1',
    class: 'token',
    description: 'Executing operation',
    created_at: '2026-11-22T18:00:00.123456789Z',
    updated_at: '2026-11-22T18:00:00.123456789Z',
    status: 'Running',
    status_code: 103,
    location: 'server2',
    may_cancel: true,
    metadata: {
      secret: 'the-secret-of-this-token',
      fingerprint,
      addresses: ['10.20.0.12:8443'],
      request: { name: 'laptop', type: 'client', restricted: true, projects: ['web'], token: true },
      ...metadata,
    },
    ...more,
  })
}

describe('a pending token', () => {
  test('tells whom it is for and where it lives, and never its secret', () => {
    const token = pendingToken(operation(), nobody)
    expect(token).toEqual({
      id: 'a1',
      name: 'laptop',
      restricted: true,
      projects: ['web'],
      member: 'server2',
      madeAt: '2026-11-22T18:00:00.123Z',
      madeBy: null,
      expiresAt: null,
      withdrawnAt: null,
    })
    expect(JSON.stringify(token)).not.toContain('the-secret-of-this-token')
  })

  test('tells when Incus lets it end', () => {
    const { expiresAt } = pendingToken(operation({}, { expiresAt: '2026-11-23T18:00:00Z' }), nobody) ?? {}
    expect(expiresAt).toBe('2026-11-23T18:00:00.000Z')
    expect(pendingToken(operation({}, { expiresAt: '0001-01-01T00:00:00Z' }), nobody)?.expiresAt).toBeNull()
  })

  test('lives on no server that has a name where there is no cluster', () => {
    expect(pendingToken(operation({ location: 'none' }), nobody)?.member).toBeNull()
  })

  test.each<[string, IncusOperation]>([
    ['that was used or withdrawn', operation({ status_code: 401 })],
    ['that is work', operation({ class: 'task' })],
    ['for a new server', operation({}, { request: undefined, serverName: 'server4' })],
    ['of an upload', operation({}, { request: undefined, fingerprint: undefined })],
  ])('is none: one %s', (_, none) => {
    expect(pendingToken(none, nobody)).toBeNull()
  })
})

describe('the token as it is given out', () => {
  test('is what the command line prints and this console redeems', () => {
    const text = tokenText(operation()) ?? ''
    expect(JSON.parse(Buffer.from(text, 'base64').toString())).toEqual({
      client_name: 'laptop',
      fingerprint,
      addresses: ['10.20.0.12:8443'],
      secret: 'the-secret-of-this-token',
      expires_at: '0001-01-01T00:00:00Z',
    })
    expect(parseTrustToken(text, Date.now())).toMatchObject({ clientName: 'laptop', fingerprint })
    expect(addCommand('prod-eu', text)).toBe(`incus remote add prod-eu ${text}`)
  })

  test('is nothing where Incus gave no secret', () => {
    expect(tokenText(operation({}, { secret: undefined }))).toBeNull()
  })
})
