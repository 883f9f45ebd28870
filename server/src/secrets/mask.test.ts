import { describe, expect, it, test } from 'vitest'
import { isRedacted } from '@malleus/shared/domain/redacted.ts'
import { tagOf } from '../lib/keys.ts'
import { isSecretKey, masked, maskedConfig, SecretChanged, withSecrets } from './mask.ts'

const key = Buffer.alloc(32, 7)
const mask = (secret: string): string => tagOf(key, 'redacted', secret).toString('base64url')

/** One name of each kind that section of the rules lists, and some that only sound like a secret. */
const secretKeys = [
  'acme.provider.environment',
  'acme.eab.hmac',
  'loki.auth.password',
  'logging.audit.target.password',
  'openfga.api.token',
  'authorization.openfga.api.token',
  'network.ovn.client_key',
  'storage.linstor.client_key',
  'instances.tpm.platform_key',
  'bgp.peers.one.password',
  'cloud-init.user-data',
  'user.vendor-data',
  'environment.TOKEN',
  'user.secret',
  'user.apiKey',
  'user.api-key',
  'user.credentials',
  'user.private',
  'ceph.user.secret',
]
const plainKeys = [
  'acme.domain',
  'acme.eab.kid',
  'acme.http.port',
  'core.https_address',
  'core.https_trusted_proxy',
  'core.remote_token_expiry',
  'cluster.join_token_expiry',
  'network.ovn.client_cert',
  'oidc.client.id',
  'user.name',
]

describe('what is named like a secret', () => {
  it.each(secretKeys)('%s is one', (name) => expect(isSecretKey(name)).toBe(true))
  it.each(plainKeys)('%s is none', (name) => expect(isSecretKey(name)).toBe(false))
})

describe('a masked configuration', () => {
  const config = { 'acme.domain': 'incus.example.net', 'acme.eab.hmac': 'the-hmac', 'loki.auth.password': '' }

  test('says of a secret whether it is another one, and nothing else', () => {
    const shown = maskedConfig(config, mask)
    expect(shown['acme.domain']).toBe('incus.example.net')
    expect(isRedacted(shown['acme.eab.hmac'])).toBe(true)
    expect(JSON.stringify(shown)).not.toContain('the-hmac')
    expect(maskedConfig({ 'acme.eab.hmac': 'the-hmac' }, mask)['acme.eab.hmac']).toEqual(shown['acme.eab.hmac'])
    expect(maskedConfig({ 'acme.eab.hmac': 'another' }, mask)['acme.eab.hmac']).not.toEqual(shown['acme.eab.hmac'])
  })

  test('hides nothing where there is nothing', () => {
    expect(maskedConfig(config, mask)['loki.auth.password']).toBe('')
    expect(masked(null, mask)).toBeNull()
  })
})

describe('T-mask-roundtrip', () => {
  const config = Object.fromEntries([...secretKeys, ...plainKeys].map((name, at) => [name, `value ${at} of ${name}`]))

  test.each(secretKeys)('%s stays as it is when another field is edited and saved', (name) => {
    const form = { ...maskedConfig(config, mask), 'acme.domain': 'other.example.net' }
    const written = withSecrets(form, config, mask)
    expect(written[name]).toBe(config[name])
    expect(written).toEqual({ ...config, 'acme.domain': 'other.example.net' })
    expect(JSON.stringify(written)).not.toContain('$redacted')
  })

  test.each(secretKeys)('%s is replaced when it is edited itself', (name) => {
    const form = { ...maskedConfig(config, mask), [name]: 'a new one' }
    expect(withSecrets(form, config, mask)).toEqual({ ...config, [name]: 'a new one' })
  })

  test.each(secretKeys)('%s that somebody else changed meanwhile is a conflict, and nothing is written', (name) => {
    const form = maskedConfig(config, mask)
    const changed = { ...config, [name]: 'changed meanwhile' }
    expect(() => withSecrets(form, changed, mask)).toThrow(SecretChanged)
    const { [name]: _, ...gone } = config
    expect(() => withSecrets(form, gone, mask)).toThrow(SecretChanged)
  })

  test('a mask that was made up, or is that of another key or another console, is a conflict', () => {
    const form = maskedConfig(config, mask)
    const strange = { $redacted: tagOf(Buffer.alloc(32, 8), 'redacted', 'x').toString('base64url') }
    for (const value of [strange, { $redacted: '' }, form['loki.auth.password'] ?? '']) {
      expect(() => withSecrets({ ...form, 'acme.eab.hmac': value }, config, mask)).toThrow(SecretChanged)
    }
    expect(() => withSecrets({ toString: strange }, config, mask)).toThrow(SecretChanged)
  })
})
