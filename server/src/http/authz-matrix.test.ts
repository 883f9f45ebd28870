import { Problem } from '@malleus/shared/api/problem.ts'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { addressOf, inertRoutes, nameOf, sampleBody } from '../../testing/all-routes.ts'
import { type Ask, everyRole, startTestDoor, type TestDoor } from '../../testing/test-door.ts'

/**
 * Who may ask for what, written out. A route that is not here fails: somebody has to decide. `step-up` is for those who
 * have to prove who they are before, `step-up-sometimes` where it depends on what is asked.
 */
const allowed: Readonly<Record<string, string>> = {
  'GET /session': 'viewer operator admin auditor guest',
  'POST /session/activity': 'viewer operator admin auditor guest',
  'GET /sessions/mine': 'viewer operator admin auditor guest',
  'POST /sessions/mine/end': 'viewer operator admin auditor guest',
  'GET /sessions': 'admin',
  'POST /sessions/end': 'admin step-up',
  'GET /clusters': 'viewer operator admin auditor',
  'GET /clusters/:cluster/figures': 'viewer operator admin',
  'GET /clusters/:cluster/certificate': 'viewer operator admin',
  'GET /clusters/:cluster/certificate/replacement': 'viewer operator admin',
  'POST /clusters/:cluster/certificate/check': 'admin',
  'POST /clusters/:cluster/certificate/replacements': 'admin step-up',
  'POST /clusters/:cluster/certificate/keys': 'admin step-up',
  'POST /clusters/:cluster/certificate/keys/:key/discard': 'admin step-up',
  'POST /clusters/:cluster/certificate/pins': 'admin step-up',
  'GET /clusters/:cluster/acme': 'viewer operator admin',
  'POST /clusters/:cluster/acme/check': 'admin step-up',
  'PUT /clusters/:cluster/acme': 'admin step-up',
  'POST /clusters/:cluster/acme/renewal': 'admin step-up',
  'GET /clusters/:cluster/trust': 'viewer operator admin',
  'GET /clusters/:cluster/trust/:fingerprint': 'viewer operator admin',
  'POST /clusters/:cluster/trust': 'admin step-up',
  'PUT /clusters/:cluster/trust/:fingerprint': 'admin step-up',
  'POST /clusters/:cluster/trust/:fingerprint/remove': 'admin step-up',
  'POST /clusters/:cluster/trust-identity/rotate': 'admin step-up',
  'POST /clusters/:cluster/trust-settings': 'admin step-up',
  'POST /clusters/:cluster/trust-tokens': 'admin step-up',
  'POST /clusters/:cluster/trust-tokens/:operation/withdraw': 'admin step-up',
  'GET /clusters/:cluster/members': 'viewer operator admin',
  'GET /clusters/:cluster/members/:member': 'viewer operator admin',
  'POST /clusters/:cluster/members/:member/state': 'admin',
  'GET /clusters/:cluster/members/:member/health': 'viewer operator admin',
  'GET /clusters/:cluster/health-history': 'viewer operator admin',
  'GET /clusters/:cluster/incidents': 'viewer operator admin',
  'GET /clusters/:cluster/incidents/:incident': 'viewer operator admin',
  'GET /clusters/:cluster/operations': 'viewer operator admin',
  'GET /clusters/:cluster/operations/:operation': 'viewer operator admin',
  'POST /clusters/:cluster/operations/:operation/cancel': 'operator admin',
  'GET /clusters/:cluster/kept-operations': 'viewer operator admin',
  'GET /clusters/:cluster/instances': 'viewer operator admin',
  'GET /clusters/:cluster/events': 'viewer operator admin',
  'GET /clusters/:cluster/fronts/:kind': 'admin',
  'GET /clusters/:cluster/access-paths': 'viewer operator admin',
  'POST /downloads': 'admin auditor step-up',
  'GET /audit': 'operator admin auditor',
  'GET /clusters/:cluster/history-sources': 'operator admin auditor',
  'GET /alerts': 'viewer operator admin',
  'POST /alerts/test': 'admin',
  'GET /audit/histogram': 'operator admin auditor',
  'GET /audit/values': 'operator admin auditor',
  'GET /audit/:chain/:seq': 'operator admin auditor',
}

const people = ['viewer', 'operator', 'admin', 'auditor', 'guest'] as const
const rows = inertRoutes()
let door: TestDoor

beforeAll(async () => {
  // `viewer` and the others have their role in one cluster, and nobody has one in the other.
  const grants = everyRole.map((grant) => ({ ...grant, clusters: ['prod-eu'] }))
  door = await startTestDoor({ routes: rows, grants, clusters: ['prod-eu', 'prod-us'] })
})
afterAll(() => door.close())
beforeEach(() => {
  door.history.length = 0
})

const codeOf = (text: string) => Problem.safeParse(JSON.parse(text)).data?.code

describe('T-authz-matrix', () => {
  describe.each(rows.map((row) => [nameOf(row), row] as const))('%s', (name, row) => {
    const ask = (as: (typeof people)[number] | null, cluster?: string, query = '', how: Partial<Ask> = {}) => {
      const body = sampleBody(row)
      return door.ask(addressOf(row, cluster) + query, {
        method: row.endpoint.method,
        as,
        ...how,
        ...(body !== undefined && { body }),
      })
    }

    it.each(people)('as %s is what the policy says', async (as) => {
      const { status } = await ask(as)
      const roles = allowed[name]?.split(' ')
      expect(roles, `${name} is not in the table`).toBeDefined()
      // A guest sees no cluster at all, so what is in one does not exist.
      const hidden = as === 'guest' && name.includes(':cluster')
      const refusal = hidden ? 404 : 403
      expect(status).toBe(roles?.includes(as) ? (row.status ?? 200) : refusal)
    })

    it('wants those who may to prove who they are, where it reaches far, and tells nobody else', async () => {
      const { stepUp } = row
      const declared = stepUp === undefined ? [] : [stepUp === true ? 'step-up' : 'step-up-sometimes']
      expect(allowed[name]?.split(' ').filter((word) => word.startsWith('step-up'))).toEqual(declared)
      for (const as of people) {
        const now = await ask(as)
        const later = await ask(as, undefined, '', { provenLongAgo: true })
        const wanted = now.status < 300 && (stepUp === true || (stepUp !== undefined && later.status === 403))
        expect(later.status).toBe(wanted ? 403 : now.status)
        expect(codeOf(later.text)).toBe(wanted ? 'step_up_required' : codeOf(now.text))
      }
    })

    it('is refused to nobody with 401', async () => {
      expect((await ask(null)).status).toBe(401)
    })

    it('records every refusal with who and why', async () => {
      const refused = []
      for (const as of people) {
        const { status, text } = await ask(as)
        if (status < 300) continue
        refused.push({ sub: as, code: Problem.parse(JSON.parse(text)).code })
      }
      const recorded = door.history
        .filter(({ entry }) => !entry.decision.allow)
        .map(({ entry }) => ({ sub: entry.actor?.sub, code: entry.out?.code }))
      expect(recorded).toEqual(refused)
      expect(door.history.filter(({ phase }) => phase === 'record')).toHaveLength(refused.length)
    })

    it('of a cluster without a role does not exist', async () => {
      const query = row.endpoint.query !== undefined && 'cluster' in row.endpoint.query.shape ? '?cluster=prod-us' : ''
      const inCluster = name.includes(':cluster') || query !== ''
      for (const as of people) {
        const { status } = await ask(as, 'prod-us', query)
        expect(inCluster ? status : 404).toBe(404)
        expect((await ask(as, 'no-such-cluster', query.replace('prod-us', 'no-such-cluster'))).status).toBe(status)
      }
    })
  })

  it('the live stream is for those who may see what it tells', async () => {
    const statuses = []
    for (const as of [...people, null]) statuses.push((await door.ask('/api/live', { as })).status)
    expect(statuses).toEqual([200, 200, 200, 403, 403, 401])
  })

  it('someone without a role is told that they have none', async () => {
    const reply = await door.ask('/api/live', { as: 'guest' })
    expect(Problem.parse(JSON.parse(reply.text)).code).toBe('no_role')
  })
})
