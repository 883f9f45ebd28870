import { X509Certificate } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { selfSigned } from '../../testing/certificate-authority.ts'
import type { ChainResult, Pin, TrustChange, Verdict } from './trust.ts'
import { Trust, fingerprintOf } from './trust.ts'

const now = Date.UTC(2026, 10, 22)
const day = 86_400_000
const current = certificate()
const next = certificate()
const stranger = certificate()
const expired = certificate(new Date(now - 1))

const chainIsFine: ChainResult = { ok: true }
const chainIsBroken: ChainResult = { ok: false, code: 'SELF_SIGNED_CERT_IN_CHAIN' }
const chainExpired: ChainResult = { ok: false, code: 'CERT_HAS_EXPIRED' }

function certificate(notAfter = new Date(now + day)): X509Certificate {
  const notBefore = new Date(now - 10 * day)
  return new X509Certificate(selfSigned({ commonName: 'cluster', notBefore, notAfter }).certificate)
}

function pin(of: X509Certificate, position: Pin['position'] = 'current'): Pin {
  return { fingerprint: fingerprintOf(of), position, from: 'configuration' }
}

function pinned(...pins: Pin[]): Trust {
  return new Trust({ kind: 'fingerprints', pins })
}

const authority = () => new Trust({ kind: 'ca', certificates: 'PEM', serverName: 'incus.example.net' })

describe('what a certificate is', () => {
  it.each<[string, () => Trust, X509Certificate, ChainResult, Verdict, boolean]>([
    ['the current pin', () => pinned(pin(current)), current, chainIsBroken, 'same', true],
    ['the next pin', () => pinned(pin(current), pin(next, 'next')), next, chainIsBroken, 'next', true],
    ['not pinned', () => pinned(pin(current)), stranger, chainIsBroken, 'unknown', false],
    ['not pinned, though an authority vouches', () => pinned(pin(current)), stranger, chainIsFine, 'unknown', false],
    ['pinned and expired', () => pinned(pin(expired)), expired, chainExpired, 'expired', true],
    ['expired and not pinned', () => pinned(pin(current)), expired, chainExpired, 'unknown', false],
    ['signed for the name', authority, stranger, chainIsFine, 'trusted', true],
    ['not signed', authority, stranger, chainIsBroken, 'unknown', false],
    ['signed and expired', authority, stranger, chainExpired, 'expired', false],
    [
      'signed for another name',
      authority,
      stranger,
      { ok: false, code: 'ERR_TLS_CERT_ALTNAME_INVALID' },
      'unknown',
      false,
    ],
  ])('%s', (_, trustOf, presented, chain, verdict, admitted) => {
    const trust = trustOf()
    expect(trust.judge(presented, chain, now)).toBe(verdict)
    expect(trust.admits(trust.judge(presented, chain, now))).toBe(admitted)
  })
})

describe('a certificate that is replaced', () => {
  it('is followed: both are accepted, and connections may stay', () => {
    const trust = pinned(pin(current))
    const changes = changesOf(trust)
    expect(trust.follow(fingerprintOf(next), 'followed')).toBe(true)
    expect(trust.judge(next, chainIsBroken, now)).toBe('next')
    expect(trust.judge(current, chainIsBroken, now)).toBe('same')
    expect(changes).toEqual(['widened'])
  })

  it('is not followed twice', () => {
    const trust = pinned(pin(current), pin(next, 'next'))
    const changes = changesOf(trust)
    expect(trust.follow(fingerprintOf(next), 'followed')).toBe(false)
    expect(trust.follow(fingerprintOf(current), 'followed')).toBe(false)
    expect(changes).toEqual([])
  })

  it('is replaced by a later successor, and the earlier one is refused from then on', () => {
    const trust = pinned(pin(current), pin(next, 'next'))
    const changes = changesOf(trust)
    trust.follow(fingerprintOf(stranger), 'followed')
    expect(trust.judge(next, chainIsBroken, now)).toBe('unknown')
    expect(trust.judge(stranger, chainIsBroken, now)).toBe('next')
    expect(changes).toEqual(['narrowed'])
  })

  it('is refused once its successor has taken its place', () => {
    const trust = pinned(pin(current), pin(next, 'next'))
    const changes = changesOf(trust)
    expect(trust.advance()).toBe(true)
    expect(trust.judge(next, chainIsBroken, now)).toBe('same')
    expect(trust.judge(current, chainIsBroken, now)).toBe('unknown')
    expect(changes).toEqual(['narrowed'])
  })

  it('lets what is under way end, when nobody presents it any more', () => {
    const trust = pinned(pin(current), pin(next, 'next'))
    const changes = changesOf(trust)
    expect(trust.advance(true)).toBe(true)
    expect(changes).toEqual(['succeeded'])
  })

  it('is alone again when its successor is dropped', () => {
    const trust = pinned(pin(current), pin(next, 'next'))
    const changes = changesOf(trust)
    expect(trust.dropNext()).toBe(true)
    expect(trust.dropNext()).toBe(false)
    expect(trust.judge(next, chainIsBroken, now)).toBe('unknown')
    expect(trust.judge(current, chainIsBroken, now)).toBe('same')
    expect(changes).toEqual(['narrowed'])
  })

  it('stays when it has no successor', () => {
    const trust = pinned(pin(current))
    expect(trust.advance()).toBe(false)
    expect(trust.judge(current, chainIsBroken, now)).toBe('same')
  })

  it('is the business of the authority where there is one', () => {
    const trust = authority()
    expect(trust.follow(fingerprintOf(next), 'followed')).toBe(false)
    expect(trust.advance()).toBe(false)
  })
})

it('another anchor narrows what is accepted', () => {
  const trust = pinned(pin(current))
  const changes = changesOf(trust)
  trust.replace({ kind: 'fingerprints', pins: [pin(stranger)] })
  expect(trust.judge(current, chainIsBroken, now)).toBe('unknown')
  expect(changes).toEqual(['narrowed'])
})

it('a fingerprint has 64 lower-case hexadecimal digits', () => {
  expect(fingerprintOf(current)).toMatch(/^[0-9a-f]{64}$/)
  const wrong = { ...pin(current), fingerprint: current.fingerprint256 }
  expect(() => pinned(wrong)).toThrow(RangeError)
})

it('there is a current pin', () => {
  expect(() => pinned(pin(next, 'next'))).toThrow(/no current pin/)
  expect(() => pinned()).toThrow(/no current pin/)
})

function changesOf(trust: Trust): TrustChange[] {
  const changes: TrustChange[] = []
  trust.subscribe((change) => changes.push(change))
  return changes
}
