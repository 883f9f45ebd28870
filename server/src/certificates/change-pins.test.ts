import { expect, test } from 'vitest'
import { createCertificateAuthority } from '../../testing/certificate-authority.ts'
import type { TrustAnchor } from '../clusters/trust.ts'
import { Trust } from '../clusters/trust.ts'
import { changePinsOf } from './change-pins.ts'

const [first, second] = ['a'.repeat(64), 'b'.repeat(64)]

function ports(anchor: TrustAnchor, isRunning = false) {
  const trust = new Trust(anchor)
  return {
    trust,
    follower: {
      expect: (fingerprint: string, from: string) => trust.follow(fingerprint, from),
      dropNext: () => trust.dropNext(),
      dropCurrent: () => trust.advance(),
    },
    replacements: { isRunning },
  }
}
const pinned = (): TrustAnchor => ({
  kind: 'fingerprints',
  pins: [{ fingerprint: first, position: 'current', from: 'configuration' }],
})

test('the next pin is set, dropped, and takes the place of the current one', () => {
  const world = ports(pinned())
  const written = (second.match(/../g) ?? []).join(':').toUpperCase()
  expect(changePinsOf(world, { change: 'set-next', fingerprint: written }, 'Jo')).toEqual([
    { fingerprint: first, position: 'current', from: 'configuration' },
    { fingerprint: second, position: 'next', from: 'set by Jo' },
  ])
  expect(changePinsOf(world, { change: 'drop-next' }, 'Jo')).toHaveLength(1)
  changePinsOf(world, { change: 'set-next', fingerprint: second }, 'Jo')
  expect(changePinsOf(world, { change: 'drop-current' }, 'Jo')).toEqual([
    { fingerprint: second, position: 'current', from: 'set by Jo' },
  ])
})

test.each([
  ['what is no fingerprint', { change: 'set-next', fingerprint: 'abc' }, /64 hexadecimal/],
  ['one that is accepted already', { change: 'set-next', fingerprint: first }, /accepted already/],
  ['a next one that is not there', { change: 'drop-next' }, /no next pin/],
  ['the only one', { change: 'drop-current' }, /no next pin that could/],
] as const)('%s is refused in words', (_, change, message) => {
  expect(() => changePinsOf(ports(pinned()), change, 'Jo')).toThrow(message)
})

test('nothing is changed where an authority vouches, nor while a replacement is under way', () => {
  const { certificate } = createCertificateAuthority()
  const byAuthority = ports({ kind: 'ca', certificates: certificate, serverName: 'incus' })
  expect(() => changePinsOf(byAuthority, { change: 'drop-next' }, 'Jo')).toThrow(/authority/)
  expect(() => changePinsOf(ports(pinned(), true), { change: 'drop-next' }, 'Jo')).toThrow(/under way/)
})
