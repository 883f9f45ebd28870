import { CompiledQuery } from 'kysely'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { eventually } from '../../testing/eventually.ts'
import { startTestApp } from '../../testing/test-app.ts'
import type { TestApp } from '../../testing/test-app.ts'
import { problemOf } from '../../testing/test-browser.ts'
import type { TestBrowser } from '../../testing/test-browser.ts'
import { clusterName, people } from '../../testing/test-world.ts'
import { changeState } from '../../testing/tour.ts'

// A whole console, on a machine that may have much to do.
vi.setConfig({ testTimeout: 45_000 })

let app: TestApp
let admin: TestBrowser
let ran: (sql: string) => Promise<void>

beforeEach(async () => {
  app = await startTestApp()
  admin = await app.signIn('admin')
  const database = await app.auditDatabase()
  ran = async (sql) => void (await database.atomically([CompiledQuery.raw(sql)]))
})
afterEach(() => app.close())

/** What another program can do to the file while it is open, and how it is undone. */
const failures = {
  'refuses every record, as one that has become read-only or full': {
    spoil: `create trigger refuse before insert on record begin select raise(abort, 'attempt to write a readonly database'); end`,
    mend: 'drop trigger refuse',
  },
  'has lost its table': {
    spoil: 'alter table record rename to taken_away',
    mend: 'alter table taken_away rename to record',
  },
}

describe('T-audit-failclosed, over the whole console', () => {
  test.each(Object.entries(failures))(
    'while its database %s, nothing is changed and nobody signs in; afterwards both work, without a restart',
    async (_, { spoil, mend }) => {
      await ran(spoil)
      const refused = await changeState(admin, clusterName, 'server2', 'evacuate')
      expect(refused.status, refused.text).toBe(503)
      expect(problemOf(refused)).toMatchObject({
        code: 'audit_unavailable',
        title: 'The access history cannot be written, so nothing is done.',
      })
      expect(app.cluster.executions).toEqual([])
      expect(app.cluster.requests.filter(({ method }) => method === 'POST')).toEqual([])

      expect(await app.browser().signIn(people.viewer.sub)).toBe('/sign-in?problem=audit_unavailable&returnTo=%2F')
      // Whoever is there already goes on looking; what they look at is recorded when it can be.
      expect((await admin.get(`/api/clusters/${clusterName}/certificate`)).status).toBe(200)

      await ran(mend)
      const done = await eventually(
        () => changeState(admin, clusterName, 'server2', 'evacuate'),
        ({ status }) => status === 202,
      )
      expect(done.status).toBe(202)
      expect(app.cluster.executions).toHaveLength(1)
      expect(await app.browser().signIn(people.viewer.sub)).toBe('/')

      const records = await eventually(
        () => app.history(),
        (all) => all.some(({ action }) => action === 'certificate.read'),
      )
      const evacuations = records.filter(({ action }) => action === 'member.evacuate')
      // Every execution has an intent, and it is before the execution.
      const [execution] = app.cluster.executions
      expect(
        evacuations.filter(({ phase, ts }) => phase === 'intent' && Date.parse(ts) <= (execution?.at ?? 0)),
      ).not.toEqual([])
      expect(records.map(({ action }) => action)).toContain('chain.resume')
    },
  )
})
