import { z } from 'zod'
import { endpoint } from '@malleus/shared/api/endpoint.ts'
import { Problem } from '@malleus/shared/api/problem.ts'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startTestDoor, type TestDoor } from '../../testing/test-door.ts'
import { describeApi } from './openapi.ts'
import { route } from './route.ts'

const removeThing = endpoint({
  method: 'DELETE',
  path: '/clusters/:cluster/things/:thing',
  summary: 'Removes a thing.',
  reply: z.object({}),
})
const changeThing = endpoint({
  method: 'POST',
  path: '/clusters/:cluster/things/:thing',
  summary: 'Changes a thing.',
  body: z.strictObject({ far: z.boolean() }),
  reply: z.object({}),
})

let door: TestDoor
let done: string[]
const routes = [
  route({
    endpoint: removeThing,
    action: 'member.evacuate',
    class: 'mutate',
    stepUp: true,
    handler: async (_context, { params }) => {
      done.push(`removed ${params.thing}`)
      return {}
    },
  }),
  route({
    endpoint: changeThing,
    action: 'member.restore',
    class: 'mutate',
    stepUp: {
      when: 'to reach far, into what is somebody else’s',
      applies: ({ params, body }, { sub }) => body.far && params.thing !== sub,
    },
    handler: async (_context, { params }) => {
      done.push(`changed ${params.thing}`)
      return {}
    },
  }),
]

beforeEach(async () => {
  done = []
  door = await startTestDoor({ routes })
})
afterEach(() => door.close())

const codeOf = (text: string) => Problem.parse(JSON.parse(text)).code
const change = (thing: string, far: boolean) =>
  door.ask(`/api/clusters/prod-eu/things/${thing}`, {
    method: 'POST',
    body: JSON.stringify({ far }),
    provenLongAgo: true,
  })

describe('what needs step-up', () => {
  it('is refused to somebody who proved long ago who they are, before it is begun, and recorded', async () => {
    const reply = await door.ask('/api/clusters/prod-eu/things/one', { method: 'DELETE', provenLongAgo: true })
    expect([reply.status, codeOf(reply.text)]).toEqual([403, 'step_up_required'])
    expect(done).toEqual([])
    expect(door.history).toMatchObject([
      {
        phase: 'record',
        entry: {
          action: 'member.evacuate',
          object: 'one',
          decision: { allow: false, rule: 'step-up' },
          out: { status: 403, code: 'step_up_required' },
        },
      },
    ])
  })

  it('is done for somebody who just proved it', async () => {
    expect((await door.ask('/api/clusters/prod-eu/things/one', { method: 'DELETE' })).status).toBe(200)
    expect(done).toEqual(['removed one'])
  })

  it('is no reason to prove anything for those who may not do it anyway', async () => {
    const asked = { method: 'DELETE', as: 'viewer', provenLongAgo: true } as const
    const reply = await door.ask('/api/clusters/prod-eu/things/one', asked)
    expect([reply.status, codeOf(reply.text)]).toEqual([403, 'forbidden'])
  })

  it('may depend on what is asked, and by whom', async () => {
    expect((await change('one', false)).status).toBe(200)
    expect((await change('admin', true)).status).toBe(200)
    expect(codeOf((await change('one', true)).text)).toBe('step_up_required')
    expect(done).toEqual(['changed one', 'changed admin'])
  })

  it('is said in the description of the API', () => {
    expect(describeApi(routes, '1.2.3')).toMatchObject({
      paths: {
        '/api/clusters/{cluster}/things/{thing}': {
          delete: {
            description: 'Needs step-up: a sign-in at the identity provider within the last five minutes.',
            responses: { 403: {} },
          },
          post: {
            description:
              'Needs step-up to reach far, into what is somebody else’s: a sign-in at the identity provider within the last five minutes.',
          },
        },
      },
    })
  })
})
