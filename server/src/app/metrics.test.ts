import { once } from 'node:events'
import { afterEach, describe, expect, it } from 'vitest'
import { eventually } from '../../testing/eventually.ts'
import type { TestApp } from '../../testing/test-app.ts'
import { startTestApp } from '../../testing/test-app.ts'
import { clusterName, people } from '../../testing/test-world.ts'
import { metricSections } from './metric-definitions.ts'

const apps: TestApp[] = []
afterEach(async () => {
  for (const app of apps.splice(0)) {
    app.app.management.close()
    await app.close()
  }
})

async function start(options: Parameters<typeof startTestApp>[0] = {}): Promise<TestApp> {
  const app = await startTestApp(options)
  apps.push(app)
  return app
}

/** What `/metrics` says, read as Prometheus does: each value by its name and labels as they stand. */
async function metricsOf(app: TestApp): Promise<ReadonlyMap<string, number>> {
  const { management } = app.app
  if (!management.listening) {
    management.listen(app.managementPort, '127.0.0.1')
    await once(management, 'listening')
  }
  const reply = await fetch(`http://127.0.0.1:${app.managementPort}/metrics`)
  expect(reply.status).toBe(200)
  expect(reply.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
  const lines = (await reply.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return new Map(
    lines.map((line) => {
      const at = line.lastIndexOf(' ')
      return [line.slice(0, at), Number(line.slice(at + 1))]
    }),
  )
}

const namesIn = (metrics: ReadonlyMap<string, number>) =>
  new Set([...metrics.keys()].map((series) => series.replace(/\{.*/, '').replace(/_(bucket|sum|count)$/, '')))

const probesOf = (member: string) =>
  `malleus_probes_total{cluster="${clusterName}",member="${member}",kind="cold",result="answered"}`

const sum = (metrics: ReadonlyMap<string, number>, series: RegExp) =>
  [...metrics].reduce((total, [name, value]) => total + (series.test(name) ? value : 0), 0)

describe('what Prometheus is told', () => {
  it('has the golden signals of a cluster, its members and each class of request', async () => {
    const app = await start()
    const admin = await app.signIn('admin')
    const before = await metricsOf(app)
    for (let n = 0; n < 5; n += 1) await admin.get(`/api/clusters/${clusterName}/certificate`)
    await admin.get(`/api/clusters/${clusterName}/members`)
    const { status } = await admin.get(`/api/clusters/${clusterName}/members/nobody`)
    expect(status).toBe(404)
    // A member is counted by its name from the moment on that it is known; every tenth probe of it is a cold one.
    const after = await eventually(
      () => metricsOf(app),
      (seen) => app.cluster.members.every((member) => seen.has(probesOf(member))),
    )
    const grown = (series: RegExp) => sum(after, series) - sum(before, series)

    expect(grown(/^malleus_cluster_requests_total\{.*result="answered"/)).toBe(6)
    expect(grown(/^malleus_cluster_requests_total\{.*result="refused"/)).toBe(1)
    expect(grown(/^malleus_cluster_request_seconds_count/)).toBe(7)
    expect(after.get(`malleus_cluster_panic{cluster="${clusterName}"}`)).toBe(0)
    expect(after.get(`malleus_cluster_database_available{cluster="${clusterName}"}`)).toBe(1)
    expect(sum(after, /^malleus_gateway_requests_total\{.*how="first",result="answered"/)).toBeGreaterThan(0)
    for (const member of app.cluster.members) {
      const of = `cluster="${clusterName}",member="${member}"`
      expect(after.get(`malleus_member_standing{${of}}`)).toBe(0)
      expect(sum(after, new RegExp(`^malleus_member_attempts_total\\{${of},`))).toBeGreaterThan(0)
      expect(after.get(`malleus_probe_phase_seconds_count{${of},phase="tls"}`)).toBeGreaterThan(0)
      const days =
        (after.get(`malleus_member_certificate_expiry_timestamp_seconds{${of}}`)! - Date.now() / 1000) / 86_400
      expect(days).toBeGreaterThan(300)
    }
    expect(after.get('malleus_database_seconds_count{database="audit"}')).toBeGreaterThan(0)
    expect(after.get('malleus_provider_request_seconds_count{result="2xx"}')).toBeGreaterThan(0)
    expect(after.get('malleus_ready')).toBe(1)
  })

  it('names a member that fails, how it fails, and what is believed of it', async () => {
    const app = await start()
    app.cluster.setLeader('server1')
    await app.cluster.break('server3', 'refusing')
    const of = `cluster="${clusterName}",member="server3"`
    const metrics = await eventually(
      () => metricsOf(app),
      (seen) =>
        seen.get(`malleus_member_symptom{${of},symptom="refusing"}`) === 1 &&
        seen.has(`malleus_probes_total{${of},kind="cold",result="connect"}`),
    )
    expect(metrics.get(`malleus_member_standing{${of}}`)).toBeGreaterThan(0)
    expect(sum(metrics, new RegExp(`^malleus_member_standing_changes_total\\{${of}`))).toBeGreaterThan(1)
    await app.cluster.mend('server3')
    await eventually(
      () => metricsOf(app),
      (seen) =>
        seen.get(`malleus_member_standing{${of}}`) === 0 && sum(seen, /malleus_member_symptom\{.*server3/) === 0,
    )
  })

  it('says no more of a member that has left', async () => {
    const app = await start()
    const from = /[{,]member="server3"/
    expect(sum(await metricsOf(app), from)).toBeGreaterThan(0)
    await app.cluster.removeMember('server3')
    await eventually(
      () => metricsOf(app),
      (seen) => ![...seen.keys()].some((series) => from.test(series)),
    )
  })

  it('has nothing that is not documented, and counts nobody by name, path or address', async () => {
    const app = await start()
    const admin = await app.signIn('admin')
    await app.listen(admin)
    await admin.get(`/api/clusters/${clusterName}/members/server1`)
    await admin.get('/api/nowhere/canary-path')
    const metrics = await metricsOf(app)
    const documented = new Set(metricSections.flatMap(({ metrics: all }) => all.map(({ name }) => name)))
    const own = [...namesIn(metrics)].filter((name) => name.startsWith('malleus_'))
    expect(own.filter((name) => !documented.has(name))).toEqual([])
    const text = [...metrics.keys()].join('\n')
    const { sub, name, email, groups } = people.admin
    for (const secret of [sub, name, email, ...groups, '127.0.0.1', '::1', 'canary-path', app.provider.issuer]) {
      expect(text).not.toContain(secret)
    }
  })

  it('says how the process does', async () => {
    const names = namesIn(await metricsOf(await start()))
    for (const name of ['nodejs_eventloop_lag_p99_seconds', 'process_resident_memory_bytes'])
      expect(names).toContain(name)
  })
})

describe('every metric', () => {
  const all = metricSections.flatMap(({ metrics }) => metrics)

  it('has a name of its own, of the kind that Prometheus expects', () => {
    expect(new Set(all.map(({ name }) => name)).size).toBe(all.length)
    for (const { name, kind } of all) {
      expect(name).toMatch(/^malleus_[a-z][a-z_]*[a-z]$/)
      expect(name.endsWith('_total')).toBe(kind === 'counter')
      expect(kind !== 'histogram' || name.endsWith('_seconds')).toBe(true)
    }
  })

  it('is a sentence for people', () => {
    for (const { help } of all) expect(help).toMatch(/^[A-Z0-9].*\.$/)
  })

  it('has no label that could be anything', () => {
    const closed = new Set(all.flatMap(({ labels }) => labels))
    expect([...closed].toSorted()).toEqual(
      [
        'authority',
        'class',
        'cluster',
        'code',
        'database',
        'directive',
        'how',
        'kind',
        'member',
        'method',
        'outcome',
        'path',
        'phase',
        'result',
        'route',
        'sink',
        'standing',
        'status',
        'symptom',
        'version',
      ].toSorted(),
    )
  })
})
