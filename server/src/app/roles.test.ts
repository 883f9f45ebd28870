import { getSession } from '@malleus/shared/api/session.ts'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { addressOf, allRoutes, nameOf, sampleBody } from '../../testing/all-routes.ts'
import { eventually } from '../../testing/eventually.ts'
import { problemOf } from '../../testing/test-browser.ts'
import type { TestBrowser } from '../../testing/test-browser.ts'
import { startTestApp } from '../../testing/test-app.ts'
import type { TestApp } from '../../testing/test-app.ts'
import { clusterName, people } from '../../testing/test-world.ts'

// A whole console, on a machine that may have much to do.
vi.setConfig({ testTimeout: 45_000 })

const roles = ['viewer', 'operator', 'admin', 'auditor'] as const

/** Who is answered, and with what; all others who are signed in are refused with 403. */
const answered: Readonly<
  Record<string, { readonly status: number | readonly number[]; readonly by: readonly string[] }>
> = {
  'GET /session': { status: 200, by: ['viewer', 'operator', 'admin', 'auditor'] },
  'POST /session/activity': { status: 200, by: ['viewer', 'operator', 'admin', 'auditor'] },
  'GET /sessions/mine': { status: 200, by: ['viewer', 'operator', 'admin', 'auditor'] },
  // There is no such session.
  'POST /sessions/mine/end': { status: 404, by: ['viewer', 'operator', 'admin', 'auditor'] },
  'GET /sessions': { status: 200, by: ['admin'] },
  'POST /sessions/end': { status: 404, by: ['admin'] },
  'GET /clusters': { status: 200, by: ['viewer', 'operator', 'admin', 'auditor'] },
  'GET /clusters/:cluster/figures': { status: 200, by: ['viewer', 'operator', 'admin'] },
  'GET /clusters/:cluster/certificate': { status: 200, by: ['viewer', 'operator', 'admin'] },
  'GET /clusters/:cluster/certificate/replacement': { status: 200, by: ['viewer', 'operator', 'admin'] },
  'POST /clusters/:cluster/certificate/check': { status: 200, by: ['admin'] },
  // There was none that could be repeated.
  'POST /clusters/:cluster/certificate/replacements': { status: 409, by: ['admin'] },
  'POST /clusters/:cluster/certificate/keys': { status: 200, by: ['admin'] },
  'POST /clusters/:cluster/certificate/keys/:key/discard': { status: 200, by: ['admin'] },
  // There is no next pin.
  'POST /clusters/:cluster/certificate/pins': { status: 409, by: ['admin'] },
  'GET /clusters/:cluster/trust': { status: 200, by: ['viewer', 'operator', 'admin'] },
  // There is no such entry.
  'GET /clusters/:cluster/trust/:fingerprint': { status: 404, by: ['viewer', 'operator', 'admin'] },
  'PUT /clusters/:cluster/trust/:fingerprint': { status: 404, by: ['admin'] },
  'POST /clusters/:cluster/trust/:fingerprint/remove': { status: 404, by: ['admin'] },
  // It is no certificate.
  'POST /clusters/:cluster/trust': { status: 409, by: ['admin'] },
  // Nothing was found that this would put right.
  'POST /clusters/:cluster/trust-settings': { status: 412, by: ['admin'] },
  'POST /clusters/:cluster/trust-identity/rotate': { status: 200, by: ['admin'] },
  'POST /clusters/:cluster/trust-tokens': { status: 201, by: ['admin'] },
  // There is no such token.
  'POST /clusters/:cluster/trust-tokens/:operation/withdraw': { status: 404, by: ['admin'] },
  'GET /clusters/:cluster/members': { status: 200, by: ['viewer', 'operator', 'admin'] },
  'GET /clusters/:cluster/members/:member': { status: 200, by: ['viewer', 'operator', 'admin'] },
  'GET /clusters/:cluster/members/:member/health': { status: 200, by: ['viewer', 'operator', 'admin'] },
  'GET /clusters/:cluster/incidents': { status: 200, by: ['viewer', 'operator', 'admin'] },
  // There is no such incident.
  'GET /clusters/:cluster/incidents/:incident': { status: 404, by: ['viewer', 'operator', 'admin'] },
  'GET /clusters/:cluster/health-history': { status: 200, by: ['viewer', 'operator', 'admin'] },
  'GET /clusters/:cluster/operations': { status: 200, by: ['viewer', 'operator', 'admin'] },
  'GET /clusters/:cluster/kept-operations': { status: 200, by: ['viewer', 'operator', 'admin'] },
  // There is no such operation.
  'GET /clusters/:cluster/operations/:operation': { status: 404, by: ['viewer', 'operator', 'admin'] },
  'POST /clusters/:cluster/operations/:operation/cancel': { status: 404, by: ['operator', 'admin'] },
  'POST /clusters/:cluster/members/:member/state': { status: 202, by: ['admin'] },
  'GET /clusters/:cluster/instances': { status: 200, by: ['viewer', 'operator', 'admin'] },
  'GET /clusters/:cluster/events': { status: 200, by: ['viewer', 'operator', 'admin'] },
  'GET /clusters/:cluster/access-paths': { status: 200, by: ['viewer', 'operator', 'admin'] },
  // There is no such front.
  'GET /clusters/:cluster/fronts/:kind': { status: 404, by: ['admin'] },
  'GET /clusters/:cluster/acme': { status: 200, by: ['viewer', 'operator', 'admin'] },
  'POST /clusters/:cluster/acme/check': { status: 200, by: ['admin'] },
  'PUT /clusters/:cluster/acme': { status: 202, by: ['admin'] },
  // While the one before is under way there is no other.
  'POST /clusters/:cluster/acme/renewal': { status: [202, 409], by: ['admin'] },
  'GET /alerts': { status: 200, by: ['viewer', 'operator', 'admin'] },
  // There is no mail to try.
  'POST /alerts/test': { status: 404, by: ['admin'] },
  'GET /audit': { status: 200, by: ['operator', 'admin', 'auditor'] },
  'GET /audit/histogram': { status: 200, by: ['operator', 'admin', 'auditor'] },
  'GET /audit/values': { status: 200, by: ['operator', 'admin', 'auditor'] },
  // There is no such record.
  'GET /audit/:chain/:seq': { status: 404, by: ['operator', 'admin', 'auditor'] },
  'POST /downloads': { status: 200, by: ['admin', 'auditor'] },
  'GET /clusters/:cluster/history-sources': { status: 200, by: ['operator', 'admin', 'auditor'] },
}

let app: TestApp
const browsers = new Map<string, TestBrowser>()

beforeAll(async () => {
  app = await startTestApp()
  for (const role of roles) browsers.set(role, await app.signIn(role))
})
afterAll(() => app.close())

describe('the whole console, for each role', () => {
  describe.each(roles)('%s', (role) => {
    test.each(allRoutes().map((row) => [nameOf(row), row] as const))('%s', async (name, row) => {
      const { browser, ask } = asking(role, row)
      const expected = answered[name]
      const { status, text } = await ask(clusterName)
      const statuses = expected?.by.includes(role) === true ? [expected.status].flat() : [403]
      expect(statuses, text).toContain(status)
      expect((await browser.get('/api/clusters/no-such-cluster/members')).status).toBe(404)
    })

    test('is told who they are', async () => {
      const browser = browserOf(role)
      const { principal } = getSession.reply.parse((await browser.get('/api/session')).json)
      expect(principal).toMatchObject({ name: people[role].name, roles: [role] })
    })
  })

  test('the live stream is for those who may see what it tells', async () => {
    for (const role of ['viewer', 'operator', 'admin']) (await browserOf(role).live()).cut()
    expect(problemOf(await browserOf('auditor').get('/api/live')).code).toBe('forbidden')
  })

  test('someone without a role is not let in, and told why', async () => {
    const browser = app.browser()
    expect(await browser.signIn(people.guest.sub)).toBe('/sign-in?problem=no_role&returnTo=%2F')
    expect(problemOf(await browser.get('/api/session')).code).toBe('not_signed_in')
  })

  test('who is not signed in learns nothing but what there is to ask', async () => {
    const stranger = app.browser()
    for (const row of allRoutes()) expect((await asking(stranger, row).ask(clusterName)).status).toBe(401)
    expect((await stranger.get('/api/openapi.json')).status).toBe(200)
  })

  test('every refusal is in the history, with who, what and why', async () => {
    const refused = roles.flatMap((role) =>
      allRoutes()
        .filter((row) => answered[nameOf(row)]?.by.includes(role) !== true)
        .map((row) => `${role} forbidden ${nameOf(row)}`),
    )
    const found = await eventually(
      async () =>
        (await app.history())
          .filter(({ decision, out }) => !decision.allow && out?.code === 'forbidden')
          .map(({ actor, req }) => `${actor?.roles.join()} forbidden ${req?.method} ${req?.route.replace('/api', '')}`),
      (records) => refused.every((one) => records.includes(one)),
    )
    expect(new Set(found)).toEqual(new Set([...refused, 'auditor forbidden GET /live']))
    const guest = (await app.history()).filter(({ actor }) => actor?.sub === people.guest.sub)
    expect(guest.map(({ action, decision }) => [action, decision])).toEqual([
      ['session.sign-in', { allow: false, rule: 'no_role' }],
    ])
  })
})

function browserOf(role: string): TestBrowser {
  const browser = browsers.get(role)
  if (browser === undefined) throw new Error(`${role} is not signed in`)
  return browser
}

function asking(who: string | TestBrowser, row: ReturnType<typeof allRoutes>[number]) {
  const browser = typeof who === 'string' ? browserOf(who) : who
  const body = sampleBody(row)
  return {
    browser,
    ask: (cluster: string) =>
      browser.ask({
        method: row.endpoint.method,
        path: addressOf(row, cluster),
        ...(body !== undefined && { body: JSON.parse(body) as unknown }),
      }),
  }
}
