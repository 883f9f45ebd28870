import { getSession, reportActivity } from '@malleus/shared/api/session.ts'
import { expect, test } from 'vitest'
import type { RequestContext, RouteInput } from '../http/route.ts'
import { personTag } from '../lib/person-tag.ts'
import type { Principal } from './principal.ts'
import { sessionRoutes } from './routes.ts'

const principal: Principal = {
  iss: 'https://idp.example.net',
  sub: 'jo',
  name: 'Jo',
  email: null,
  groups: ['staff'],
  roles: ['viewer'],
  authTime: null,
  amr: [],
  sessionTag: 't',
}
const times = { idleExpiresAt: '2026-01-01T00:30:00.000Z', expiresAt: '2026-01-01T10:00:00.000Z' }
const routes = sessionRoutes({
  sessions: { sessionOf: () => ({ principal, idToken: 'secret-id-token', ...times }) },
  permissionsOf: () => ({ 'prod-eu': ['member.list'] }),
  livePosition: () => 'e-7',
})
const context = { principal, touch: () => Promise.resolve(times) } as unknown as RequestContext
const input = { params: {}, query: undefined, body: {} } as unknown as RouteInput<never>

test('tells who is signed in, what they may do and until when, and no token', async () => {
  const row = routes.find(({ endpoint }) => endpoint === getSession)
  const reply = await row?.handler(context, input)
  expect(getSession.reply.parse(reply)).toEqual({
    principal: {
      name: 'Jo',
      email: null,
      issuer: principal.iss,
      subject: 'jo',
      roles: ['viewer'],
      tag: personTag(principal),
    },
    permissions: { 'prod-eu': ['member.list'] },
    ...times,
    live: 'e-7',
  })
  expect(JSON.stringify(reply)).not.toContain('secret-id-token')
})

test('activity keeps the session, and tells until when', async () => {
  const row = routes.find(({ endpoint }) => endpoint === reportActivity)
  expect(await row?.handler(context, input)).toEqual(times)
})
