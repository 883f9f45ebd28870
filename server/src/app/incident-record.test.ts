import { getIncident, listIncidents } from '@malleus/shared/api/incidents.ts'
import { getMemberHealth } from '@malleus/shared/api/member-health.ts'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { eventually } from '../../testing/eventually.ts'
import type { TestBrowser } from '../../testing/test-browser.ts'
import { startTestApp } from '../../testing/test-app.ts'
import type { TestApp } from '../../testing/test-app.ts'
import { clusterName } from '../../testing/test-world.ts'

// A whole console, on a machine that may have much to do.
vi.setConfig({ testTimeout: 120_000 })

let app: TestApp
let viewer: TestBrowser

beforeAll(async () => {
  app = await startTestApp()
  viewer = await app.signIn('viewer')
})
afterAll(() => app.close())

const at = (path: string) => `/api/clusters/${clusterName}${path}`

async function incidents(query = '') {
  return listIncidents.reply.parse((await viewer.get(at(`/incidents${query}`))).json)
}

describe('a server that gets stuck', () => {
  test('has an incident at once, told on the live stream, and its record shows the failed questions', async () => {
    const live = await viewer.live()
    const victim = app.cluster.members.at(-1) ?? ''
    // On a busy machine the start may have cast a doubt, which is an incident of its own for half a minute.
    await eventually(
      async () => (await incidents('?state=open')).incidents,
      (open) => open.length === 0,
      60_000,
    )
    await app.cluster.break(victim, 'stuck')
    const open = await eventually(
      async () =>
        (await incidents('?doubts=true')).incidents.find(
          ({ member, worst, end }) => member === victim && worst === 'ejected' && end === null,
        ),
      (found) => found?.symptom === 'stuck',
    )
    expect(open).toMatchObject({ member: victim, beginning: 'seen', end: null, cluster: { atFirst: 'Online' } })
    expect((await incidents(`?state=open&member=${victim}`)).incidents.map(({ id }) => id)).toEqual([open?.id])
    const { incident } = getIncident.reply.parse((await viewer.get(at(`/incidents/${open?.id}`))).json)
    expect(incident.steps.at(-1)).toMatchObject({ standing: 'ejected', symptom: 'stuck' })
    await eventually(
      () => live.told.filter(({ event }) => event.kind === 'incident-changed'),
      (told) => told.length > 0,
    )
    live.cut()

    const record = await eventually(
      async () => {
        const { json } = await viewer.get(at(`/members/${victim}/health?range=1h`))
        return getMemberHealth.reply.parse(json).record
      },
      ({ changes }) => changes.some(({ kind }) => kind === 'certificate'),
      20_000,
    )
    expect(record.failed.reduce((sum, count) => sum + count, 0)).toBeGreaterThan(0)
    expect(record.failures.length).toBeGreaterThan(0)
    expect(record.percentiles.find(({ measure }) => measure === 'answer')?.count).toBeGreaterThan(0)
    const [newest] = record.changes.filter(({ kind }) => kind === 'standing')
    expect(newest).toMatchObject({ after: { standing: 'ejected', symptom: 'stuck' } })
    expect(record.changes.map(({ kind }) => kind)).toEqual(
      expect.arrayContaining(['reported', 'certificate', 'standing']),
    )
    expect(record.gaps).toHaveLength(1)
    await app.cluster.mend(victim)
  })
})

describe('what is asked wrongly', () => {
  test.each([
    ['/members/nobody/health', 404],
    ['/members/server1/health?range=2y', 400],
    ['/members/server1/health?rnge=1h', 400],
    ['/incidents/nothing', 404],
    ['/incidents?limit=0', 400],
    ['/incidents?limit=201', 400],
    ['/incidents?before=yesterday', 400],
    ['/incidents?doubts=perhaps', 400],
    ['/incidents?state=closed', 400],
  ])('%s is answered with %d', async (path, status) => {
    expect((await viewer.get(at(path))).status).toBe(status)
  })
})
