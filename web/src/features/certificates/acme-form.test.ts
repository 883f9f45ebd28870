import type { AcmeSettings } from '@malleus/shared/api/acme.ts'
import { describe, expect, test } from 'vitest'
import { formOf, settingsIn, whyNotYet } from './acme-form.ts'

const settings: AcmeSettings = {
  domains: ['incus.example.net', 'b.example.net'],
  email: 'a@example.net',
  directory: 'https://acme.example.net/dir',
  agreed: true,
  challenge: 'DNS-01',
  httpPort: ':80',
  provider: 'hetzner',
  environment: { $redacted: 'mask' },
  resolvers: '',
  account: { keyId: 'kid', hmac: { $redacted: 'other' } },
}

describe('the form', () => {
  test('gives back what it was filled with, and secrets as the masks that came', () => {
    expect(settingsIn(formOf(settings), settings)).toEqual(settings)
  })

  test('takes a secret that is typed, and none when it is emptied', () => {
    const form = { ...formOf(settings), environment: 'A=b', hmac: '' }
    expect(settingsIn(form, settings)).toMatchObject({ environment: 'A=b', account: { hmac: null } })
  })

  test('reads domains as people write them', () => {
    const form = { ...formOf(null), domains: ' Incus.example.net,\n b.example.net ' }
    expect(settingsIn(form, null).domains).toEqual(settings.domains)
  })

  test.each([
    ['a domain', { domains: '' }],
    ['a full name', { domains: 'incus' }],
    ['an email address', { email: 'a' }],
    ['an address', { directory: 'http://acme.example.net' }],
    ['an agreement', { agreed: false }],
    ['a provider', { provider: '' }],
  ])('asks for %s', (_, other) => expect(whyNotYet({ ...formOf(settings), ...other })).toBeDefined())

  test('asks for nothing more when all is there', () => expect(whyNotYet(formOf(settings))).toBeUndefined())
})
