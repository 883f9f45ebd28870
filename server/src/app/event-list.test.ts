import type { ReplyOf } from '@malleus/shared/api/endpoint.ts'
import type { ClusterEvent } from '@malleus/shared/api/events.ts'
import { listEvents } from '@malleus/shared/api/events.ts'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { eventually } from '../../testing/eventually.ts'
import { startTestApp } from '../../testing/test-app.ts'
import type { TestApp } from '../../testing/test-app.ts'
import type { TestBrowser } from '../../testing/test-browser.ts'
import { problemOf } from '../../testing/test-browser.ts'
import { clusterName, people } from '../../testing/test-world.ts'

// A whole console, on a machine that may have much to do.
vi.setConfig({ testTimeout: 45_000 })

let app: TestApp
afterEach(() => app.close())

const mika = { username: 'mika@laptop', protocol: 'tls', address: '10.0.0.7:4711' }
const path = `/api/clusters/${clusterName}/events`

describe('the list of events', () => {
  test('has what happened since the person signed in, once, and goes on from there', async () => {
    app = await startTestApp({ cluster: { instances: 2 } })
    const admin = await app.signIn('admin')
    const live = await app.listen(admin)
    app.cluster.emit({ action: 'instance-started', source: '/1.0/instances/c1', project: 'default', requestor: mika })
    await live.next('resource-changed', ({ source }) => source === '/1.0/instances/c1')
    const first = await list(admin)
    expect(named(first, '/1.0/instances/c1')).toMatchObject([
      {
        type: 'lifecycle',
        action: 'instance-started',
        project: 'default',
        who: { name: 'mika@laptop', protocol: 'tls' },
      },
    ])
    expect(first.listening).toHaveLength(2)

    const from = live.told.length
    app.cluster.emit({ action: 'instance-stopped', source: '/1.0/instances/c2', project: 'default' })
    const saidAt = Date.now()
    const heard = await live.next('events-heard', () => true, from)
    expect(heard.at - saidAt).toBeLessThan(1_000)
    await live.next('resource-changed', ({ source }) => source === '/1.0/instances/c2', from)
    const second = await list(admin, first.position)
    expect(second.continues).toBe(true)
    expect(named(second, '/1.0/instances/c1')).toEqual([])
    expect(named(second, '/1.0/instances/c2')).toHaveLength(1)
  })

  test('says who did it only to those who may read the access history, and is for nobody without a role', async () => {
    app = await startTestApp()
    const [admin, viewer] = [await app.signIn('admin'), await app.signIn('viewer')]
    const heard = [await app.listen(admin), await app.listen(viewer)]
    app.cluster.emit({ action: 'profile-created', source: '/1.0/profiles/p1', requestor: mika })
    for (const live of heard) await live.next('resource-changed', ({ source }) => source === '/1.0/profiles/p1')
    expect(named(await list(admin), '/1.0/profiles/p1')).toMatchObject([{ who: { name: 'mika@laptop' } }])
    const seen = await viewer.get(path)
    expect(named(listEvents.reply.parse(seen.json), '/1.0/profiles/p1')).toMatchObject([{ who: null }])
    expect(seen.text).not.toContain('mika@laptop')
    expect(seen.text).not.toContain('10.0.0.7')
    const auditor = await app.signIn('auditor')
    expect(problemOf(await auditor.get(path))).toMatchObject({ status: 403 })
  })

  test('shows a gap where nobody was listened to, with its length', async () => {
    app = await startTestApp()
    const viewer = await app.signIn('viewer')
    await app.listen(viewer)
    const { position } = await list(viewer)
    const members = [...app.cluster.members]
    for (const member of members) await app.cluster.break(member, 'refusing')
    const deaf = await eventually(
      () => list(viewer, position),
      ({ deafSince }) => deafSince !== null,
    )
    expect(deaf.listening).toEqual([])
    for (const member of members) await app.cluster.mend(member)
    const after = await eventually(
      () => list(viewer, position),
      ({ entries }) => entries.some(({ kind }) => kind === 'gap'),
      20_000,
    )
    const gap = after.entries.find((entry) => entry.kind === 'gap')
    expect(Date.parse(gap?.to ?? '')).toBeGreaterThan(Date.parse(gap?.from ?? ''))
    expect(Date.parse(gap?.from ?? '')).toBeLessThanOrEqual(Date.parse(deaf.deafSince ?? ''))
  })

  test('in certificate mode ends at the projects of the person', async () => {
    const jo = { sub: 'u-jo', name: 'Jo', email: 'jo@example.net', groups: ['web-people'] }
    app = await startTestApp({
      mode: 'certificate',
      provider: { people: [...Object.values(people), jo] },
      settings: { roles: { viewer: [{ groups: ['staff'] }, { groups: ['web-people'], projects: ['web'] }] } },
    })
    const limited = app.browser()
    expect(await limited.signIn(jo.sub)).toBe('/')
    const whole = await app.signIn('viewer')
    await app.listen(whole)
    const live = await limited.live()
    app.cluster.emit({ action: 'instance-started', source: '/1.0/instances/d1', project: 'default' })
    await eventually(
      () => {
        app.cluster.emit({ action: 'instance-started', source: '/1.0/instances/w1?project=web', project: 'web' })
        return live.told.some(({ event }) => event.kind === 'resource-changed')
      },
      (heard) => heard,
    )
    const seen = await list(limited)
    expect(named(seen, '/1.0/instances/w1?project=web').length).toBeGreaterThan(0)
    expect(JSON.stringify(seen)).not.toContain('/1.0/instances/d1')
    expect(named(await list(whole), '/1.0/instances/d1')).toHaveLength(1)
  })
})

type List = ReplyOf<typeof listEvents>

async function list(browser: TestBrowser, after?: string): Promise<List> {
  const query = after === undefined ? '' : `?after=${after}`
  return listEvents.reply.parse((await browser.get(`${path}${query}`)).json)
}

function named({ entries }: List, source: string): ClusterEvent[] {
  return entries.filter((entry) => entry.kind === 'event').filter((event) => event.source === source)
}
