import { describe, expect, test } from 'vitest'
import { fingerprintOf, selfSigned } from '../../testing/certificate-authority.ts'
import type { Gateway } from '../gateway/gateway.ts'
import { MemberError } from '../gateway/member-error.ts'
import { lookAtTrust } from './trust-witness.ts'

const { certificate } = selfSigned({ commonName: 'laptop' })
const fingerprint = fingerprintOf(certificate)
const entry = { fingerprint, name: 'laptop', type: 'client', restricted: true, projects: ['web', 'db'] }

/** Knows what is at some paths, and nothing else. */
function cluster(known: Readonly<Record<string, unknown>>): Pick<Gateway, 'read'> {
  return {
    read: ({ path, parse }: Parameters<Gateway['read']>[0]) => {
      if (path in known) return Promise.resolve({ value: parse.parse(known[path]) })
      return Promise.reject(
        new MemberError({ kind: 'incus', member: 'server1', phase: 'answer', sent: true, status: 404, message: 'no' }),
      )
    },
  } as unknown as Pick<Gateway, 'read'>
}

const there = cluster({
  [`/certificates/${fingerprint}`]: entry,
  '/operations/op': { id: 'op', class: 'token', created_at: '', updated_at: '', status_code: 103 },
})
const gone = cluster({})

const added = { name: 'laptop', type: 'client', restricted: true, projects: ['web'], certificate }
const changed = { etag: 'e', name: 'laptop', restricted: true, projects: ['db', 'web'] }

describe('T-never-twice: what became of a change of the trust whose answer was lost', () => {
  test.each<[string, Pick<Gateway, 'read'>, string, string, unknown, string]>([
    ['an entry is there that was to be added', there, 'trust.add', '', added, 'applied'],
    ['an entry is not there that was to be added', gone, 'trust.add', '', added, 'not-applied'],
    ['an entry is as it was to be', there, 'trust.update', fingerprint, changed, 'applied'],
    [
      'an entry is otherwise than it was to be',
      there,
      'trust.update',
      fingerprint,
      { ...changed, restricted: false },
      'not-applied',
    ],
    ['an entry that was to be changed is gone', gone, 'trust.update', fingerprint, changed, 'nothing'],
    ['an entry is still there', there, 'trust.remove', fingerprint, {}, 'not-applied'],
    ['an entry is gone', gone, 'trust.remove', fingerprint, {}, 'applied'],
    ['a token is still pending', there, 'trust.withdraw', 'op', {}, 'not-applied'],
    ['a token is gone', gone, 'trust.withdraw', 'op', {}, 'applied'],
    ['a token may have been made', there, 'trust.token', '', {}, 'nothing'],
  ])('%s', async (_, gateway, action, object, body, kind) => {
    expect((await lookAtTrust(gateway, { action, object, body })).kind).toBe(kind)
  })
})
