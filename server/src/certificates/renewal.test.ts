import { X509Certificate } from 'node:crypto'
import { expect, test } from 'vitest'
import { selfSigned } from '../../testing/certificate-authority.ts'
import { renewalOf } from './renewal.ts'

const certificate = new X509Certificate(
  selfSigned({
    commonName: 'incus.example',
    notBefore: new Date('2026-01-01T00:00:00Z'),
    notAfter: new Date('2026-04-11T00:00:00Z'),
  }).certificate,
)
const acme = { 'acme.domain': 'incus.example', 'acme.agree_tos': 'true' }

test.each<[string, Record<string, unknown> | null, boolean, string | undefined]>([
  ['up to 7.0.1 it is 30 days before the end', acme, false, '2026-03-12T00:00:00.000Z'],
  ['later it is at 80 % of its life', acme, true, '2026-03-22T00:00:00.000Z'],
  ['without a domain there is none', { ...acme, 'acme.domain': '' }, false, undefined],
  ['without consent there is none', { 'acme.domain': 'incus.example' }, false, undefined],
  ['where the configuration may not be seen nothing is said', null, true, undefined],
])('%s', (_, config, renewsByShare, at) => {
  expect(renewalOf({ config, renewsByShare }, certificate)?.at).toBe(at)
})
