import { changeMemberState, getMember, listMembers } from '@malleus/shared/api/members.ts'
import { listAudit } from '@malleus/shared/api/audit.ts'
import { describe, expect, it } from 'vitest'
import { startTestDoor } from '../../testing/test-door.ts'
import { describeApi } from './openapi.ts'
import { type Route, route } from './route.ts'

const never = () => Promise.reject(new Error('not called'))
const routes: readonly Route[] = [
  route({ endpoint: listMembers, action: 'member.list', class: 'list', handler: never }),
  route({ endpoint: getMember, action: 'member.read', class: 'read', handler: never }),
  route({ endpoint: listAudit, action: 'audit.read', class: 'read', handler: never }),
  route({
    endpoint: changeMemberState,
    action: (body) => (body.action === 'evacuate' ? 'member.evacuate' : 'member.restore'),
    class: 'mutate',
    status: 202,
    handler: never,
  }),
]

describe('the description of the API', () => {
  it('has every route with its parameters, body, reply and problems', () => {
    const description = describeApi(routes, '1.2.3')
    expect(description).toMatchObject({
      openapi: '3.1.0',
      info: { version: '1.2.3' },
      paths: {
        '/api/clusters/{cluster}/members': { get: { summary: listMembers.summary, operationId: 'member.list' } },
        '/api/clusters/{cluster}/members/{member}/state': {
          post: {
            parameters: [
              { name: 'cluster', in: 'path' },
              { name: 'member', in: 'path' },
            ],
            requestBody: { required: true },
            responses: { 202: {}, default: { content: { 'application/problem+json': {} } } },
          },
        },
        '/api/audit': {
          get: { parameters: expect.arrayContaining([expect.objectContaining({ name: 'limit', required: false })]) },
        },
        '/api/live': { get: {} },
      },
      components: { schemas: { Problem: { type: 'object' } } },
    })
  })

  it('is served to anybody who asks from the console, and needs no session', async () => {
    const door = await startTestDoor({ routes })
    const reply = await door.ask('/api/openapi.json', { as: null })
    expect(reply.status).toBe(200)
    expect(reply.headers['content-type']).toBe('application/json')
    expect(JSON.parse(reply.text)).toEqual(JSON.parse(JSON.stringify(describeApi(routes, '0.0.0-test'))))
    await door.close()
  })
})
