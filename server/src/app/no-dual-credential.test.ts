import { fingerprintOf } from '../../testing/certificate-authority.ts'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { eventually } from '../../testing/eventually.ts'
import { problemOf } from '../../testing/test-browser.ts'
import type { RecordedRequest } from '../../testing/stand-in/recorder.ts'
import { clusterSeenBy, startTestApp } from '../../testing/test-app.ts'
import type { TestApp } from '../../testing/test-app.ts'
import { clusterName, people } from '../../testing/test-world.ts'
import { changeState, evacuateAndRestore, lookAround } from '../../testing/tour.ts'

// A whole console, on a machine that may have much to do.
vi.setConfig({ testTimeout: 45_000 })

let app: TestApp
afterEach(() => app.close())

/** What the console asks for itself, to know how the cluster is: nothing else goes with its certificate. */
const background = [
  /^\/1\.0$/,
  /^\/1\.0\/cluster\/members$/,
  /^\/1\.0\/cluster\/members\/[^/]+$/,
  /^\/1\.0\/cluster\/members\/[^/]+\/state$/,
  // All of them to know which end soon, one to know its own.
  /^\/1\.0\/certificates(\/[0-9a-f]{64})?$/,
  /^\/1\.0\/events$/,
  /^\/1\.0\/instances(\/[^/]+)?$/,
  /^\/1\.0\/operations$/,
  /^\/1\.0\/resources$/,
]

describe('T-no-dual-credential', () => {
  test('through a full tour, no request carries both credentials and what a person asks never the certificate', async () => {
    app = await startTestApp()
    const own = fingerprintOf(app.identity.certificate)
    const seen = listen()

    const admin = await app.signIn('admin')
    await lookAround(admin, clusterName, 'server2')
    await evacuateAndRestore(admin, clusterName, 'server2')
    await app.cluster.break('server3', 'refusing')
    await lookAround(admin, clusterName, 'server3')
    await app.cluster.mend('server3')
    await lookAround(admin, clusterName, 'server3')
    await admin.signOut()

    const requests = seen.stop()
    expect(requests.filter(carriesBoth)).toEqual([])
    expect(new Set(requests.map(({ peerFingerprint }) => peerFingerprint))).toEqual(new Set([own, null]))
    expect(requests.filter(({ authorization }) => authorization !== null).length).toBeGreaterThan(5)
    expect(strangeOf(requests)).toEqual([])
    expect(app.cluster.executions.map(({ action, who }) => [action, who])).toEqual([
      ['member.evacuate', { protocol: 'oidc', name: people.admin.email }],
      ['member.restore', { protocol: 'oidc', name: people.admin.email }],
    ])
  })

  test('members that lose OpenID Connect while it runs get nothing of a person, by neither credential', async () => {
    app = await startTestApp()
    const admin = await app.signIn('admin')
    const live = await admin.live()
    const seen = listen()

    // One of them: the others carry on for the person.
    await app.cluster.break('server2', 'without-oidc')
    await eventually(
      () => certificateFindings(admin),
      (text) => text.includes('server2'),
    )
    const since = seen.count()
    const members = await lookAround(admin, clusterName, 'server1')
    expect(members.map(({ status }) => status).filter((status) => status >= 500)).toEqual([])
    expect(
      seen.after(since).filter(({ member, authorization }) => member === 'server2' && authorization !== null),
    ).toEqual([])

    // All of them: what a person asks is refused, and not asked with the console's own right instead.
    for (const member of ['server1', 'server3']) await app.cluster.break(member, 'without-oidc')
    await eventually(
      () => certificateFindings(admin),
      (text) => ['server1', 'server2', 'server3'].every((member) => text.includes(member)),
    )
    const refused = await changeState(admin, clusterName, 'server1', 'evacuate')
    expect(refused.status, refused.text).toBeGreaterThanOrEqual(400)
    expect(app.cluster.executions).toEqual([])

    await app.cluster.mendAll()
    await eventually(
      () => changeState(admin, clusterName, 'server1', 'evacuate'),
      ({ status }) => status === 202,
    )
    await live.next('operation-changed', ({ operation }) => operation.status === 'success')
    expect(app.cluster.executions.map(({ who }) => who?.protocol)).toEqual(['oidc'])

    const requests = seen.stop()
    expect(requests.filter(carriesBoth)).toEqual([])
    expect(strangeOf(requests)).toEqual([])
  })

  test('in certificate mode no token reaches a member', async () => {
    app = await startTestApp({ mode: 'certificate' })
    const seen = listen()
    const admin = await app.signIn('admin')
    await lookAround(admin, clusterName, 'server2')
    await evacuateAndRestore(admin, clusterName, 'server2')
    expect(seen.stop().filter(({ authorization }) => authorization !== null)).toEqual([])
    expect(app.cluster.executions.map(({ who }) => who?.protocol)).toEqual(['tls', 'tls'])
  })

  test('a cluster of members without OpenID Connect is named in words, and its people are refused in words', async () => {
    app = await startTestApp({ impatient: true, oidc: false })
    const admin = await app.signIn('admin')
    await eventually(
      () => certificateFindings(admin),
      (text) => ['server1', 'server2', 'server3'].every((member) => text.includes(`${member} cannot check people`)),
    )
    const refused = await eventually(
      () => admin.post(`/api/clusters/${clusterName}/members/server1/state`, { action: 'evacuate', mode: '' }),
      ({ status }) => status >= 400,
    )
    expect(problemOf(refused)).toMatchObject({
      code: 'sign_in_not_checked',
      title: 'No server of the cluster can check who is signed in.',
    })
    const { text } = await admin.get(`/api/clusters/${clusterName}/members`)
    expect(text).toContain('No server of the cluster can check who is signed in: OpenID Connect works on none of them.')
    expect(app.cluster.requests.filter(({ authorization }) => authorization !== null)).toEqual([])
    expect(app.cluster.executions).toEqual([])
    expect((await clusterSeenBy(admin)).findings.map(({ text }) => text).join(' ')).toContain('server1')
  })
})

async function certificateFindings(browser: Awaited<ReturnType<TestApp['signIn']>>): Promise<string> {
  return (await clusterSeenBy(browser)).findings.map(({ text }) => text).join('\n')
}

function carriesBoth({ peerFingerprint, authorization }: RecordedRequest): boolean {
  return peerFingerprint !== null && authorization !== null
}

/** Requests with the certificate that are none of the console's own. */
function strangeOf(requests: readonly RecordedRequest[]): string[] {
  return requests
    .filter(({ peerFingerprint }) => peerFingerprint !== null)
    .filter(({ method, url }) => method !== 'GET' || !background.some((path) => path.test(url.split('?')[0] ?? '')))
    .map(({ method, url }) => `${method} ${url}`)
}

function listen() {
  const requests: RecordedRequest[] = []
  const stop = app.cluster.onRequest((request) => requests.push(request))
  return {
    count: () => requests.length,
    after: (count: number): readonly RecordedRequest[] => requests.slice(count),
    stop: (): readonly RecordedRequest[] => {
      stop()
      return requests
    },
  }
}
