import { afterEach, describe, expect, it } from 'vitest'
import type { ClusterFigures } from '@malleus/shared/api/clusters.ts'
import { endpoint } from '@malleus/shared/api/endpoint.ts'
import { z } from 'zod'
import type { TestDoor } from '../../testing/test-door.ts'
import { startTestDoor } from '../../testing/test-door.ts'
import { Figures } from '../figures/figures.ts'
import { NoResponsiveMember } from '../gateway/member-error.ts'
import { Refusal } from '../http/problem.ts'
import type { RequestContext } from '../http/route.ts'
import { route } from '../http/route.ts'
import { systemClock } from '../lib/clock.ts'
import { counted } from './counted.ts'

const ask = endpoint({
  method: 'GET',
  path: '/clusters/:cluster/question',
  summary: 'A question.',
  reply: z.object({}),
})

const doors: TestDoor[] = []
afterEach(async () => {
  for (const door of doors.splice(0)) await door.close()
})

/** What is counted of one request that ends like this. */
async function countOf(handler: (context: RequestContext) => Promise<Record<string, never>>) {
  const figures = new Figures(systemClock)
  const served: string[] = []
  const row = route({ endpoint: ask, action: 'member.list', class: 'read', handler })
  const metrics = {
    served: (cluster: string, requestClass: string, result: string, ms: number) => {
      expect(ms).toBeGreaterThanOrEqual(0)
      served.push(`${cluster} ${requestClass} ${result}`)
    },
  }
  const door = await startTestDoor({ routes: [counted(row, () => figures, metrics, systemClock)] })
  doors.push(door)
  await door.ask('/api/clusters/prod-eu/question')
  const requests: ClusterFigures['requests'] = figures.view().requests
  return { served, requests }
}

describe('a request of a person to a cluster is counted', () => {
  it('as answered, with how it was', async () => {
    const count = await countOf((context) => {
      context.answeredBy({ via: 'server2', attempts: 2, hedged: true })
      return Promise.resolve({})
    })
    expect(count).toEqual({ served: ['prod-eu read answered'], requests: { served: 1, failed: 0, hedged: 1 } })
  })

  it('as answered when no member had to be asked, though not among those that the cluster served', async () => {
    const count = await countOf(() => Promise.resolve({}))
    expect(count).toEqual({ served: ['prod-eu read answered'], requests: { served: 0, failed: 0, hedged: 0 } })
  })

  it('as refused, which is no failure', async () => {
    const count = await countOf(() => Promise.reject(new Refusal('not_found')))
    expect(count).toEqual({ served: ['prod-eu read refused'], requests: { served: 0, failed: 0, hedged: 0 } })
  })

  it('as failed, by its code, when no server answered', async () => {
    const count = await countOf(() => Promise.reject(new NoResponsiveMember('deadline_exceeded', 'late', [], 3)))
    expect(count.served).toEqual(['prod-eu read deadline_exceeded'])
    expect(count.requests).toEqual({ served: 0, failed: 1, hedged: 0 })
  })

  it('as a mistake of the console, for which no cluster is to blame', async () => {
    const count = await countOf(() => Promise.reject(Object.assign(new TypeError('oops'), { code: 'ERR_ANYTHING' })))
    expect(count).toEqual({ served: ['prod-eu read internal'], requests: { served: 0, failed: 0, hedged: 0 } })
  })
})
