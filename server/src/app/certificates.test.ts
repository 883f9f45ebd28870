import { getCertificate } from '@malleus/shared/api/certificate.ts'
import { checkCertificate, getReplacement, prepareKey } from '@malleus/shared/api/certificate-replacement.ts'
import type { Replacement } from '@malleus/shared/api/certificate-replacement.ts'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createCertificateAuthority, fingerprintOf, selfSigned } from '../../testing/certificate-authority.ts'
import { eventually } from '../../testing/eventually.ts'
import { signRequest } from '../../testing/sign-request.ts'
import { startTestApp } from '../../testing/test-app.ts'
import type { TestApp } from '../../testing/test-app.ts'
import type { TestBrowser } from '../../testing/test-browser.ts'
import { problemOf } from '../../testing/test-browser.ts'
import { clusterName } from '../../testing/test-world.ts'

// A whole console, on a machine that may have much to do.
vi.setConfig({ testTimeout: 45_000 })

const authority = createCertificateAuthority()
const fresh = () => authority.issue({ commonName: 'incus.example', names: ['incus.example', '127.0.0.1'] })
const base = `/api/clusters/${clusterName}`
let app: TestApp
let admin: TestBrowser

beforeEach(async () => {
  app = await startTestApp()
  admin = await app.signIn('admin')
  await eventually(
    read,
    ({ presented }) => presented.length === 3 && presented.every(({ verdict }) => verdict === 'same'),
  )
})
afterEach(() => app.close())

async function read() {
  return getCertificate.reply.parse((await admin.get(`${base}/certificate`)).json)
}
async function latest(): Promise<Replacement | null> {
  return getReplacement.reply.parse((await admin.get(`${base}/certificate/replacement`)).json).latest
}
const push = (pair: { certificate: string; key: string }) =>
  admin.post(`${base}/certificate/replacements`, { what: 'given', certificate: pair.certificate, key: pair.key })
const pins = async () => {
  const { trust } = await read()
  return trust.kind === 'fingerprints' ? trust.pins.map(({ fingerprint, position }) => [position, fingerprint]) : []
}

test('a server that presents what nobody expects is in the history, by its fingerprint', async () => {
  await app.cluster.break('server3', 'wrong-certificate')
  const found = await eventually(
    async () => (await app.history()).filter(({ action }) => action === 'certificate.stranger'),
    (records) => records.length > 0,
  )
  expect(found[0]).toMatchObject({ cluster: clusterName, object: expect.stringMatching(/^server3 [0-9a-f]{64}$/) })
})

test('a page that looks at the certificates hears of a server that makes no handshake any more', async () => {
  const live = await app.listen(admin)
  await app.cluster.break('server3', 'stuck')
  await live.next('certificate-changed', ({ cluster }) => cluster === clusterName)
  const { presented } = await eventually(read, (known) => known.presented[2]?.verdict === 'no-handshake')
  expect(presented[2]).toMatchObject({ member: 'server3', was: 'same' })
})

describe('a certificate that is replaced', () => {
  test('is taken by every server, watched to the end, and the old one is refused from then on', async () => {
    const pair = fresh()
    const before = app.cluster.fingerprint
    const reply = await push(pair)
    expect(reply.status, reply.text).toBe(200)
    const done = await eventually(latest, (replacement) => replacement?.verdict === 'done')
    expect(done).toMatchObject({ by: 'Mika Admin', before, sentence: 'All 3 servers present the new certificate.' })
    expect(await eventually(pins, (all) => all.length === 1)).toEqual([['current', fingerprintOf(pair.certificate)]])
    expect((await read()).presented.map(({ verdict }) => verdict)).toEqual(['same', 'same', 'same'])
    expect(app.cluster.executions.filter(({ action }) => action === 'certificate.replace')).toHaveLength(1)
    const told = (await app.history()).filter(({ action }) => action === 'certificate.replace')
    expect(told.map(({ phase, out }) => [phase, out?.opStatus])).toContainEqual(['outcome', 'confirmed'])
  })

  test('is refused before anything is sent when it would take the cluster down', async () => {
    const bad = selfSigned({ commonName: 'x', names: ['10.0.0.1'], usages: ['client'] })
    const checked = await admin.post(`${base}/certificate/check`, { certificate: bad.certificate + bad.key })
    const { checks, key } = checkCertificate.reply.parse(checked.json)
    expect(key).toBe('given')
    expect(checks.filter(({ verdict }) => verdict === 'cannot').map(({ id }) => id)).toEqual(['usage', 'dns-name'])
    expect(problemOf(await push(bad)).code).toBe('not_possible')
    const mismatch = { certificate: fresh().certificate, key: fresh().key }
    expect(problemOf(await push(mismatch))).toMatchObject({
      code: 'not_possible',
      detail: expect.stringContaining('belongs to another certificate'),
    })
    expect(app.cluster.executions.filter(({ action }) => action === 'certificate.replace')).toEqual([])
    expect(await latest()).toBeNull()
    expect(await pins()).toHaveLength(1)
  })

  test('whose key was made here is taken without anybody giving it', async () => {
    const asked = await admin.post(`${base}/certificate/keys`, {
      subject: 'incus.example',
      names: ['incus.example'],
      curve: 'P-256',
    })
    const { prepared } = prepareKey.reply.parse(asked.json)
    expect(asked.text).not.toContain('PRIVATE')
    const certificate = signRequest(authority, prepared.request)
    const reply = await push({ certificate, key: '' })
    expect(reply.status, reply.text).toBe(200)
    await eventually(latest, (replacement) => replacement?.verdict === 'done')
    const waiting = async () =>
      getReplacement.reply.parse((await admin.get(`${base}/certificate/replacement`)).json).prepared
    expect(await eventually(waiting, (all) => all.length === 0)).toEqual([])
  })

  test('and gets no answer is watched on after the console was started anew', async () => {
    const pair = fresh()
    app.cluster.faultAt({ path: '/1.0/cluster/certificate', at: 'response', afterBytes: 0, kind: 'close' })
    expect(problemOf(await push(pair)).code).toBe('outcome_unknown')
    await app.restart()
    admin = await app.signIn('admin')
    const found = await eventually(latest, (replacement) => replacement?.verdict === 'done')
    expect(found?.certificate.fingerprint).toBe(fingerprintOf(pair.certificate))
  })

  test('and was refused can be sent again without its key, and one that was taken can be put back', async () => {
    const first = fresh()
    app.cluster.faultAt({ path: '/1.0/cluster/certificate', afterBytes: 0, kind: 503 })
    expect((await push(first)).status).toBeGreaterThanOrEqual(500)
    const refused = await eventually(latest, (replacement) => replacement?.verdict === 'not-done')
    expect(refused).toMatchObject({ answer: { kind: 'refused' }, offers: ['push-again'], repair: [] })
    expect(await pins()).toEqual([['current', app.cluster.fingerprint]])

    expect((await admin.post(`${base}/certificate/replacements`, { what: 'again' })).status).toBe(200)
    const again = await eventually(latest, (replacement) => replacement?.verdict === 'done')
    // Of the one before it nobody gave this console the key.
    expect(again?.offers).toEqual([])

    expect((await push(fresh())).status).toBe(200)
    const second = await eventually(
      latest,
      (replacement) => replacement?.verdict === 'done' && replacement.id !== again?.id,
    )
    expect(second?.offers).toEqual(['push-old-back'])
    expect((await admin.post(`${base}/certificate/replacements`, { what: 'old-back' })).status).toBe(200)
    await eventually(latest, (replacement) => replacement?.verdict === 'done' && replacement.id !== second?.id)
    expect(app.cluster.fingerprint).toBe(fingerprintOf(first.certificate))
  })
})
