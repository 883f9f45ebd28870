import { afterEach, describe, expect, it } from 'vitest'
import type { TestDoor, TestDoorOptions } from '../../testing/test-door.ts'
import { startTestDoor } from '../../testing/test-door.ts'

const doors: TestDoor[] = []
afterEach(async () => {
  await Promise.all(doors.splice(0).map((door) => door.close()))
})

async function start(options: Partial<TestDoorOptions> = {}): Promise<TestDoor> {
  const door = await startTestDoor({
    routes: [],
    site: {
      serve: (response, { status = 200 }) => response.writeHead(status, { 'content-type': 'text/html' }).end('page'),
    },
    ...options,
  })
  doors.push(door)
  return door
}

/** What a browser sends when somebody follows a link. */
const navigation = {
  'x-console-request': undefined,
  'sec-fetch-site': 'none',
  'sec-fetch-mode': 'navigate',
  accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
}

describe('somebody who opens an address', () => {
  it.each([
    ['that is not well formed', '/clusters/%zz', 400],
    ['with an encoded slash', '/clusters/prod%2Feu/servers', 400],
    ['with a relative part', '/clusters/../servers', 400],
    ['that is nowhere', '/auth/elsewhere', 404],
    ['of a download that has been used', '/d/used', 404],
  ])('%s gets the page, which says so itself', async (_, address, status) => {
    const { ask } = await start()
    const reply = await ask(address, { as: null, headers: navigation })
    expect([reply.status, reply.text, reply.headers['content-type']]).toEqual([status, 'page', 'text/html'])
  })

  it('too often is told so in words, and when to come back', async () => {
    const { ask } = await start({ limits: { signInsPerMinute: 1 } })
    await ask('/auth/login', { as: null, headers: navigation })
    const reply = await ask('/auth/login', { as: null, headers: navigation })
    expect([reply.status, reply.headers['content-type']]).toEqual([429, 'text/html; charset=utf-8'])
    expect(reply.headers['retry-after']).toBeDefined()
    expect(reply.text).toContain('<p>Too many requests; wait a moment.</p>')
    expect(reply.text).toContain(`Request ${String(reply.headers['x-request-id'])}`)
    expect(reply.headers['content-security-policy']).toContain("default-src 'none'")
    expect(reply.text).not.toMatch(/<script|<style|style=|javascript:/)
  })

  it('cannot have words of theirs read as part of the page', async () => {
    const { ask } = await start({
      pages: { callback: () => Promise.reject(Object.assign(new Error('x'), { code: 'sign_in_failed' })) },
    })
    const reply = await ask('/auth/callback?error=%3Cscript%3E', { as: null, headers: navigation })
    expect(reply.status).toBe(403)
    expect(reply.text).not.toContain('<script')
  })
})

describe('a program', () => {
  it.each(['/api/clusters/%zz', '/api/nothing'])(
    'that asks for %s gets a problem, whatever it accepts',
    async (address) => {
      const { ask } = await start()
      const reply = await ask(address, { headers: { accept: 'text/html' } })
      expect(reply.headers['content-type']).toBe('application/problem+json')
    },
  )

  it('that does not ask for a page gets none', async () => {
    const { ask } = await start()
    const reply = await ask('/clusters/%zz', { as: null, headers: { accept: 'application/json' } })
    expect([reply.status, reply.headers['content-type']]).toEqual([400, 'application/problem+json'])
  })
})
