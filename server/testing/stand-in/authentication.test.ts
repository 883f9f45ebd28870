import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { selfSigned } from '../certificate-authority.ts'
import { startIdentityProvider } from '../stand-in-idp.ts'
import type { IdentityProvider } from '../stand-in-idp.ts'
import { startStandInCluster } from './stand-in-cluster.ts'
import type { StandInCluster } from './stand-in-cluster.ts'
import { ask, openEvents } from './test-client.ts'

const client = selfSigned({ commonName: 'client' })
let provider: IdentityProvider
let cluster: StandInCluster

beforeAll(async () => {
  provider = await startIdentityProvider({
    people: [
      { name: 'Ada', email: 'ada@example.test', groups: [], sub: 'ada' },
      { name: 'Nomail', groups: [], sub: 'nomail' },
    ],
  })
})
afterAll(() => provider.close())

beforeEach(async () => {
  cluster = await startStandInCluster({ members: 2, oidc: { issuer: provider.issuer }, moveMs: 1 })
})
afterEach(() => cluster.close())

describe('a stranger', () => {
  test('sees how to sign in, and nothing else', async () => {
    const answer = await ask(cluster.address('server1'), '/1.0')
    expect(answer.status).toBe(200)
    expect(answer.metadata).toMatchObject({
      auth: 'untrusted',
      auth_methods: ['tls', 'oidc'],
      config: {},
      public: false,
    })
    expect(answer.metadata).not.toHaveProperty('environment')
    const refused = await ask(cluster.address('server1'), '/1.0/instances')
    expect(refused).toMatchObject({ status: 403, type: 'error', error: 'not authorized' })
    expect(refused.headers).toMatchObject({
      'x-incus-oidc-issuer': provider.issuer,
      'x-incus-oidc-clientid': 'incus',
      'x-incus-oidc-audience': 'incus',
    })
  })

  test('with a certificate nobody trusts is still a stranger', async () => {
    const answer = await ask(cluster.address('server1'), '/1.0', { client })
    expect(answer.metadata).toMatchObject({ auth: 'untrusted' })
    expect(cluster.requests.at(-1)?.peerFingerprint).toMatch(/^[0-9a-f]{64}$/)
  })
})

describe('a bearer token', () => {
  test('is a person on every member, named by email, else by subject', async () => {
    const token = await provider.issueToken({ person: 'ada' })
    for (const address of cluster.addresses) {
      const { metadata } = await ask(address, '/1.0', { token })
      expect(metadata).toMatchObject({ auth: 'trusted', auth_user_name: 'ada@example.test', auth_user_method: 'oidc' })
    }
    const nomail = await ask(cluster.address('server1'), '/1.0', {
      token: await provider.issueToken({ person: 'nomail' }),
    })
    expect(nomail.metadata).toMatchObject({ auth_user_name: 'nomail' })
  })

  test.each([
    ['expired', { expiresIn: -1 }, 'Failed to authenticate: token has expired'],
    [
      'for another audience',
      { audience: 'other' },
      "Failed to authenticate: Provided OIDC token doesn't allow the configured audience",
    ],
  ])('that is %s is refused with 401, also where strangers are let in', async (_how, extra, error) => {
    const token = await provider.issueToken({ person: 'ada', ...extra })
    const answer = await ask(cluster.address('server1'), '/1.0', { token })
    expect(answer).toMatchObject({ status: 401, error })
    expect(answer.headers['x-incus-oidc-issuer']).toBe(provider.issuer)
  })

  test.each([
    ['garbage', 'Bearer garbage', /token contains an invalid number of segments/],
    ['no bearer token', 'Basic x', /Bad authorization token, expected a Bearer token/],
  ])('that is %s is refused with 401', async (_what, authorization, error) => {
    const answer = await ask(cluster.address('server1'), '/1.0', { headers: { authorization } })
    expect([answer.status, answer.error]).toEqual([401, expect.stringMatching(error)])
  })

  test('signed by somebody else is refused', async () => {
    const other = await startIdentityProvider({ people: [], port: 0 })
    const forged = await other.issueToken({ person: 'ada', claims: { iss: provider.issuer } })
    await other.close()
    expect((await ask(cluster.address('server1'), '/1.0', { token: forged })).error).toMatch(/invalid signature/)
  })

  test('goes on working while the provider is down, except on a member that was restarted meanwhile', async () => {
    const token = await provider.issueToken({ person: 'ada' })
    for (const address of cluster.addresses) await ask(address, '/1.0', { token })
    await provider.down()
    await cluster.break('server2', 'refusing')
    await cluster.mend('server2')
    expect((await ask(cluster.address('server1'), '/1.0', { token })).status).toBe(200)
    const refused = await ask(cluster.address('server2'), '/1.0', { token })
    expect([refused.status, refused.error]).toEqual([401, expect.stringMatching(/discovery endpoint/)])
    await provider.up()
    expect((await ask(cluster.address('server2'), '/1.0', { token })).status).toBe(200)
  })

  test('also opens event streams', async () => {
    const stream = await openEvents(cluster.address('server1'), 'type=lifecycle', {
      token: await provider.issueToken({ person: 'ada' }),
    })
    stream.close()
    await expect(openEvents(cluster.address('server1'), 'type=lifecycle')).rejects.toThrow('403')
  })

  test('is ignored by a member that has lost its OIDC configuration, where the certificate counts instead', async () => {
    cluster.trust(client.certificate)
    await cluster.break('server2', 'without-oidc')
    const token = await provider.issueToken({ person: 'ada' })
    const both = await ask(cluster.address('server2'), '/1.0', { token, client })
    expect(both.metadata).toMatchObject({ auth_methods: ['tls'], auth_user_method: 'tls' })
    const alone = await ask(cluster.address('server2'), '/1.0', { token })
    expect(alone.metadata).toMatchObject({ auth: 'untrusted' })
    expect(cluster.requests.at(-2)).toMatchObject({ member: 'server2', authorization: `Bearer ${token}` })
    expect(cluster.requests.at(-2)?.peerFingerprint).not.toBeNull()
  })
})

describe('what Incus lets a person do', () => {
  test('is everything, unless somebody decided otherwise', async () => {
    const token = await provider.issueToken({ person: 'ada' })
    const evacuate = { method: 'POST', body: { action: 'evacuate' }, token }
    cluster.setAccess('ada@example.test', { may: 'view' })
    expect(await ask(cluster.address('server1'), statePath, evacuate)).toMatchObject({
      status: 403,
      error: 'Permission denied',
    })
    expect((await ask(cluster.address('server1'), '/1.0/warnings', { token })).status).toBe(403)
    expect((await ask(cluster.address('server1'), '/1.0', { token })).metadata).toMatchObject({ config: {} })
    cluster.setAccess('ada@example.test', { may: 'edit', forbidden: [`POST ${statePath}`] })
    expect((await ask(cluster.address('server1'), statePath, evacuate)).status).toBe(403)
    cluster.setAccess('ada@example.test', { may: 'edit' })
    expect((await ask(cluster.address('server1'), statePath, evacuate)).status).toBe(202)
    expect(cluster.executions).toHaveLength(1)
    expect(cluster.executions[0]?.who).toEqual({ protocol: 'oidc', name: 'ada@example.test' })
  })

  test('can be nothing: lists are empty and the rest is refused', async () => {
    cluster.setAccess('ada@example.test', { may: 'nothing' })
    const token = await provider.issueToken({ person: 'ada' })
    expect((await ask(cluster.address('server1'), '/1.0', { token })).status).toBe(403)
    expect((await ask(cluster.address('server1'), '/1.0/instances', { token })).metadata).toEqual([])
  })

  test('can be limited to projects', async () => {
    cluster.setAccess('ada@example.test', { may: 'edit', projects: ['web'] })
    const token = await provider.issueToken({ person: 'ada' })
    const { metadata } = await ask(cluster.address('server1'), '/1.0/instances?recursion=1&all-projects=true', {
      token,
    })
    expect(new Set((metadata as { project: string }[]).map(({ project }) => project))).toEqual(new Set(['web']))
  })
})

describe('a trust token', () => {
  test('makes a new client trusted on all members, once', async () => {
    const token = cluster.trustToken('malleus')
    expect(JSON.parse(Buffer.from(token, 'base64').toString())).toMatchObject({
      client_name: 'malleus',
      fingerprint: cluster.fingerprint,
      addresses: [cluster.address('server1')],
      expires_at: '0001-01-01T00:00:00Z',
    })
    const redeem = { method: 'POST', body: { type: 'client', trust_token: token }, client }
    expect((await ask(cluster.address('server2'), '/1.0/certificates', redeem)).status).toBe(201)
    const { metadata } = await ask(cluster.address('server1'), '/1.0', { client })
    expect(metadata).toMatchObject({ auth: 'trusted', auth_user_method: 'tls' })
    expect(await ask(cluster.address('server1'), '/1.0/certificates', redeem)).toMatchObject({
      status: 400,
      error: 'Client is already trusted',
    })
    const another = { ...redeem, client: selfSigned({ commonName: 'other' }) }
    expect(await ask(cluster.address('server1'), '/1.0/certificates', another)).toMatchObject({
      status: 403,
      error: 'No matching certificate add operation found',
    })
  })

  test('that is no token is refused', async () => {
    const redeem = { method: 'POST', body: { type: 'client', trust_token: 'x' }, client }
    expect((await ask(cluster.address('server1'), '/1.0/certificates', redeem)).status).toBe(403)
  })

  test('is readable by trusted clients in the operations, and gone with the member that issued it', async () => {
    cluster.trust(client.certificate)
    cluster.trustToken('malleus', { on: 'server2' })
    const { metadata } = await ask(cluster.address('server1'), '/1.0/operations?recursion=1', { client })
    const [operation] = (metadata as { running: { class: string; metadata: { secret: string } }[] }).running
    expect(operation).toMatchObject({ class: 'token', metadata: { secret: expect.stringMatching(/^[0-9a-f]{64}$/) } })
    await cluster.break('server2', 'refusing')
    expect((await ask(cluster.address('server1'), '/1.0/operations?recursion=1', { client })).metadata).toEqual({})
  })

  test('can be restricted to projects', async () => {
    const token = cluster.trustToken('malleus', { restricted: true, projects: ['web'] })
    await ask(cluster.address('server1'), '/1.0/certificates', {
      method: 'POST',
      body: { type: 'client', trust_token: token },
      client,
    })
    expect((await ask(cluster.address('server1'), '/1.0/projects', { client })).metadata).toEqual(['/1.0/projects/web'])
    expect(await ask(cluster.address('server1'), '/1.0/warnings', { client })).toMatchObject({
      status: 403,
      error: 'Certificate is restricted',
    })
    expect(await ask(cluster.address('server1'), '/1.0/instances', { client })).toMatchObject({
      status: 500,
      error: 'User does not have permissions for project "default"',
    })
  })
})

const statePath = '/1.0/cluster/members/server2/state'
