import { createPrivateKey, generateKeyPairSync, randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createCertificateAuthority, selfSigned } from '../../testing/certificate-authority.ts'
import { thrownBy } from '../../testing/thrown-by.ts'
import { writeCertificate } from '../lib/x509-writer.ts'
import { BundleUnreadable, presentablePem, readBundle, samePublicKey } from './read-bundle.ts'

const root = createCertificateAuthority('Root')
const middle = intermediate('Middle')
const leaf = middle.issue('incus.example')
const stranger = selfSigned({ commonName: 'stranger' })
const key = createPrivateKey(leaf.key)
const namesIn = (text: string) => {
  const { leaf: first, chain, strangers } = readBundle(text)
  const called = ({ subject }: { subject: string }) => subject.replace('CN=', '')
  return { leaf: called(first), chain: chain.map(called), strangers: strangers.map(called) }
}

describe('a bundle', () => {
  test.each<[string, string[], boolean]>([
    ['leaf, chain and root', [leaf.certificate, middle.certificate, root.certificate], true],
    ['the root first', [root.certificate, middle.certificate, leaf.certificate], false],
    ['the key between', [middle.certificate, leaf.key, leaf.certificate, root.certificate], false],
    ['a key, then all in order', [leaf.key, leaf.certificate, middle.certificate, root.certificate], true],
  ])('%s is put in order', (_, parts, inOrder) => {
    const text = parts.join('\n')
    expect(namesIn(text)).toEqual({ leaf: 'incus.example', chain: ['Middle', 'Root'], strangers: [] })
    expect(readBundle(text).inOrder).toBe(inOrder)
  })

  test('without what signed it has no chain', () => {
    expect(namesIn(leaf.certificate)).toEqual({ leaf: 'incus.example', chain: [], strangers: [] })
  })

  test('with a gap ends before it', () => {
    expect(namesIn(leaf.certificate + root.certificate)).toEqual({
      leaf: 'incus.example',
      chain: [],
      strangers: ['Root'],
    })
  })

  test('names what does not belong to it', () => {
    expect(namesIn(leaf.certificate + stranger.certificate + middle.certificate).strangers).toEqual(['stranger'])
  })

  test('is led by the certificate that the key belongs to', () => {
    expect(namesIn(leaf.certificate + stranger.certificate + stranger.key).leaf).toBe('stranger')
  })

  test('of an authority alone is that authority', () => {
    expect(namesIn(root.certificate).leaf).toBe('Root')
  })

  test('may have carriage returns, comments and blanks around', () => {
    const text = `subject=incus\r\n  ${leaf.certificate.replaceAll('\n', '\r\n')}\n\n# the key\n${leaf.key}  `
    expect(readBundle(text).key).not.toBeNull()
    expect(namesIn(text).leaf).toBe('incus.example')
  })

  test('is presented in order, without its root', () => {
    const bundle = readBundle(root.certificate + middle.certificate + leaf.certificate)
    expect(presentablePem(bundle)).toBe(leaf.certificate + middle.certificate)
    const own = readBundle(stranger.certificate)
    expect(presentablePem(own)).toBe(stranger.certificate)
  })
})

describe('a private key', () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
  test.each([
    ['PKCS#8', key.export({ type: 'pkcs8', format: 'pem' }).toString(), key],
    ['SEC1', key.export({ type: 'sec1', format: 'pem' }).toString(), key],
    [
      'SEC1 after its parameters',
      `-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n${key.export({ type: 'sec1', format: 'pem' }).toString()}`,
      key,
    ],
    ['PKCS#1', rsa.export({ type: 'pkcs1', format: 'pem' }).toString(), rsa],
  ])('is read from %s', (_, pem, expected) => {
    const read = readBundle(leaf.certificate + pem).key
    expect(read?.export({ type: 'pkcs8', format: 'pem' })).toBe(expected.export({ type: 'pkcs8', format: 'pem' }))
  })

  test('that is not there is none', () => {
    expect(readBundle(leaf.certificate).key).toBeNull()
  })

  test('has the public key of its certificate', () => {
    const { leaf: certificate } = readBundle(leaf.certificate)
    expect(samePublicKey(certificate.publicKey, certificate.publicKey)).toBe(true)
    expect(samePublicKey(certificate.publicKey, readBundle(root.certificate).leaf.publicKey)).toBe(false)
  })
})

describe('what cannot be used is refused in words', () => {
  const protectedKey = key.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' }).toString()
  const oldProtectedKey = key.export({ type: 'sec1', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' }).toString()
  test.each([
    ['nothing', '', /no certificate yet/],
    ['words', 'my certificate', /not PEM/],
    ['a key alone', leaf.key, /private key and no certificate/],
    ['a request', block('CERTIFICATE REQUEST'), /request for a certificate/],
    ['a collection', block('PKCS7'), /PKCS#7/],
    ['a public key', block('PUBLIC KEY'), /public key/],
    ['one that is cut off', leaf.certificate.slice(0, 200), /cut off/],
    ['one that was changed', leaf.certificate.replace('MII', 'AAA'), /cannot be read/],
    ['a protected key', leaf.certificate + protectedKey, /passphrase/],
    ['a protected key of the old form', leaf.certificate + oldProtectedKey, /passphrase/],
    ['a key of OpenSSH', leaf.certificate + block('OPENSSH PRIVATE KEY'), /OpenSSH/],
    ['a key that was changed', leaf.certificate + block('PRIVATE KEY'), /private key cannot be read/],
    ['two keys', leaf.certificate + leaf.key + stranger.key, /2 private keys/],
    ['a whole store', leaf.certificate.repeat(21), /21 certificates/],
  ])('%s', (_, text, message) => {
    expect(() => readBundle(text)).toThrow(BundleUnreadable)
    expect(() => readBundle(text)).toThrow(message)
  })

  test('T-fuzz: no text makes it fail otherwise, and none is repeated', () => {
    const line = fc.oneof(
      fc.constantFrom(...leaf.certificate.split('\n'), ...leaf.key.split('\n'), ...protectedKey.split('\n')),
      fc.string(),
    )
    fc.assert(
      fc.property(fc.array(line, { maxLength: 40 }), (lines) => {
        const error = thrownBy(() => readBundle(lines.join('\n')))
        expect(error === null || error instanceof BundleUnreadable).toBe(true)
        for (const secret of leaf.key.split('\n').slice(1, -2)) expect(String(error)).not.toContain(secret)
      }),
      { seed: 11, numRuns: 500 },
    )
  })
})

function block(label: string): string {
  return `-----BEGIN ${label}-----\nAAAA\n-----END ${label}-----\n`
}

/** An authority that another one signed. */
function intermediate(name: string) {
  const { privateKey: own } = generateKeyPairSync('ec', { namedCurve: 'P-384' })
  const validity = { notBefore: new Date(Date.now() - 1_000), notAfter: new Date(Date.now() + 86_400_000) }
  const issuerKey = createPrivateKey(root.key)
  const made = { ...validity, serial: randomBytes(16) }
  const certificate = writeCertificate({
    ...made,
    subject: name,
    issuer: 'Root',
    subjectKey: own,
    issuerKey,
    authority: true,
  })
  return {
    certificate,
    issue: (subject: string) => {
      const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
      const pem = writeCertificate({
        ...made,
        subject,
        issuer: name,
        subjectKey: privateKey,
        issuerKey: own,
        names: [subject],
        usages: ['server'],
      })
      return { certificate: pem, key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() }
    },
  }
}
