import { afterEach, describe, expect, it } from 'vitest'
import { startTestDoor, type TestDoor } from '../../testing/test-door.ts'

const doors: TestDoor[] = []
afterEach(async () => {
  await Promise.all(doors.splice(0).map((door) => door.close()))
})

describe('what is no request', () => {
  it.each([
    [
      'has a header without a colon',
      'GET /api/clusters HTTP/1.1\r\nCookie: sid=canary\r\nAuthorization canary\r\n\r\n',
    ],
    ['has two lengths', 'POST / HTTP/1.1\r\nHost: a\r\nCookie: sid=canary\r\nContent-Length: 1, 1\r\n\r\ncanary'],
    ['is too long', `GET / HTTP/1.1\r\nCookie: sid=canary\r\nX-Much: ${'canary'.repeat(20_000)}\r\n\r\n`],
  ])('and %s is logged by its fault, without a byte of what was sent', async (_, bytes) => {
    const fields: object[] = []
    const note = (said: object): void => void fields.push(said)
    const test = await startTestDoor({ routes: [], logger: { debug: note, info: note, warn: note, error: note } })
    doors.push(test)
    expect(await test.raw(bytes)).toMatch(/^HTTP\/1\.1 4\d\d/)
    expect(fields[0]).toMatchObject({ code: expect.any(String), fault: expect.stringMatching(/^HPE_/) })
    expect(fields.flatMap(textsIn).some((text) => text.includes('canary'))).toBe(false)
  })
})

describe('the answer to what is no request', () => {
  it('carries what every answer carries', async () => {
    const test = await startTestDoor({ routes: [] })
    doors.push(test)
    const { headers } = await test.ask('/api/clusters')
    const [head = ''] = (await test.raw('GET / HTTP/1.1\r\nno colon\r\n\r\n')).split('\r\n\r\n')
    const answered = new Map(
      head
        .split('\r\n')
        .slice(1)
        .map((line) => [line.slice(0, line.indexOf(': ')), line.slice(line.indexOf(': ') + 2)] as const),
    )
    const own = ['x-request-id', 'content-type', 'content-length', 'connection', 'keep-alive', 'date']
    const common = Object.entries(headers).filter(([name]) => !own.includes(name))
    expect(common.length).toBeGreaterThan(10)
    for (const [name, value] of common) expect([name, answered.get(name)]).toEqual([name, value])
    expect(answered.get('connection')).toBe('close')
  })
})

/** All that a logger could write of it; Node keeps the bytes it could not parse with the error. */
function textsIn(value: unknown): string[] {
  if (value instanceof Buffer) return [value.toString('latin1')]
  if (typeof value !== 'object' || value === null) return [String(value)]
  return Object.values(value).flatMap(textsIn)
}
