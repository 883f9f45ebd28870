import type { ProbePhase } from '@malleus/shared/domain/health.ts'
import { describe, expect, it } from 'vitest'
import type { MemberErrorKind } from './member-error.ts'
import { MemberError, NoResponsiveMember, OutcomeUnknown, memberErrorFrom } from './member-error.ts'

function coded(code: string, cause?: unknown): Error {
  return Object.assign(new Error(code, { cause }), { code })
}

const at = (phase: ProbePhase) => ({ member: 'server1', phase, sent: phase === 'answer' })

describe('what was thrown', () => {
  it.each<[string, ProbePhase, unknown, MemberErrorKind, ProbePhase]>([
    ['refused', 'connect', coded('ECONNREFUSED'), 'refused', 'connect'],
    ['no route', 'connect', coded('EHOSTUNREACH'), 'unreachable', 'connect'],
    ['no network', 'connect', coded('ENETUNREACH'), 'unreachable', 'connect'],
    ['no name', 'resolve', coded('ENOTFOUND'), 'unreachable', 'resolve'],
    ['no name server', 'connect', coded('EAI_AGAIN'), 'unreachable', 'resolve'],
    ['the kernel gave up', 'connect', coded('ETIMEDOUT'), 'timed-out', 'connect'],
    ['a reset', 'tls', coded('ECONNRESET'), 'reset', 'tls'],
    ['a reset of an answer', 'answer', coded('ECONNRESET'), 'reset', 'answer'],
    ['a closed pipe', 'answer', coded('EPIPE'), 'reset', 'answer'],
    ['the other side closed', 'answer', coded('UND_ERR_SOCKET'), 'reset', 'answer'],
    ['no TLS', 'tls', coded('EPROTO'), 'bad-reply', 'tls'],
    ['an older TLS', 'tls', coded('ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION'), 'bad-reply', 'tls'],
    ['no HTTP', 'answer', coded('HPE_INVALID_CONSTANT'), 'bad-reply', 'answer'],
    ['too long', 'answer', coded('UND_ERR_RES_CONTENT_LENGTH_MISMATCH'), 'bad-reply', 'answer'],
    ['aborted', 'answer', coded('UND_ERR_ABORTED'), 'cancelled', 'answer'],
    [
      'a cause',
      'connect',
      new Error('outer', { cause: new Error('middle', { cause: coded('ECONNREFUSED') }) }),
      'refused',
      'connect',
    ],
    [
      'of several addresses, the first that says something',
      'connect',
      new AggregateError([new Error('x'), coded('EHOSTUNREACH')]),
      'unreachable',
      'connect',
    ],
    ['something else', 'answer', new Error('what is this'), 'reset', 'answer'],
    ['no error at all', 'answer', 'text', 'reset', 'answer'],
    ['nothing', 'answer', undefined, 'reset', 'answer'],
  ])('%s', (_, phase, thrown, kind, endPhase) => {
    const error = memberErrorFrom(thrown, at(phase))
    expect(error).toMatchObject({ kind, phase: endPhase, member: 'server1', sent: phase === 'answer' })
    expect(error.cause).toBe(thrown)
    expect(error.message).toContain('server1')
  })

  it('is given back when it is one already, however deep', () => {
    const known = new MemberError({
      kind: 'wrong-certificate',
      member: 'server2',
      phase: 'certificate',
      sent: false,
      message: 'x',
    })
    expect(memberErrorFrom(known, at('answer'))).toBe(known)
    expect(memberErrorFrom(new Error('outer', { cause: known }), at('answer'))).toBe(known)
  })

  it('may be its own cause', () => {
    const circle = new Error('circle')
    circle.cause = circle
    expect(memberErrorFrom(circle, at('answer')).kind).toBe('reset')
  })
})

it('every failure has a closed code and its cause', () => {
  const timeout = new MemberError({
    kind: 'timed-out',
    member: 'server1',
    phase: 'answer',
    sent: true,
    message: 'silent',
  })
  expect(timeout.code).toBe('member_unavailable')
  const nobody = new NoResponsiveMember('no_responsive_member', 'nobody', [timeout], 2)
  expect(nobody).toMatchObject({ code: 'no_responsive_member', attempts: 2, cause: timeout })
  const unknown = new OutcomeUnknown(timeout, 1)
  expect(unknown).toMatchObject({ code: 'outcome_unknown', attempts: 1, member: 'server1', cause: timeout })
})
