import { afterEach, describe, expect, it } from 'vitest'
import { startTestDoor, type TestDoor, type TestDoorOptions } from '../../testing/test-door.ts'

const doors: TestDoor[] = []
afterEach(async () => {
  await Promise.all(doors.splice(0).map((door) => door.close()))
})

async function start(options: Partial<TestDoorOptions> = {}) {
  const lines: unknown[] = []
  const note = (fields: object) => void lines.push(fields)
  const logger = { debug: () => {}, info: () => {}, warn: note, error: note }
  const test = await startTestDoor({ routes: [], logger, ...options })
  doors.push(test)
  const report = (body: string, type = 'application/reports+json') =>
    test.ask('/reports', {
      method: 'POST',
      as: null,
      body,
      // A browser sends reports by itself, without any of the console's own headers.
      headers: {
        'content-type': type,
        'x-console-request': undefined,
        origin: undefined,
        'sec-fetch-site': 'cross-site',
      },
    })
  const counted = () => test.metrics()
  return { ...test, report, counted, lines }
}

describe('reports of browsers', () => {
  it('are counted and logged, without what follows the path', async () => {
    const { report, counted, lines } = await start()
    const body = {
      effectiveDirective: 'script-src-elem',
      blockedURL: 'https://evil.example/x.js?token=canary',
      sourceFile: 'https://console.example.net/a?canary',
      lineNumber: 3,
    }
    const reply = await report(JSON.stringify([{ type: 'csp-violation', body }]))
    expect(reply.status).toBe(204)
    expect(await counted()).toContain('malleus_browser_reports_total{directive="script-src-elem"} 1')
    expect(JSON.stringify(lines)).toContain('https://evil.example/x.js')
    expect(JSON.stringify(lines)).not.toContain('canary')
  })

  it('of the older form are taken too', async () => {
    const { report, counted } = await start()
    const old = { 'csp-report': { 'effective-directive': 'style-src', 'blocked-uri': 'inline' } }
    expect((await report(JSON.stringify(old), 'application/csp-report')).status).toBe(204)
    expect(await counted()).toContain('{directive="style-src"} 1')
  })

  it('cannot invent labels', async () => {
    const { report, counted } = await start()
    const words = Array.from({ length: 50 }, (_, n) => (n % 2 === 0 ? `Label ${n}` : `label-${'x'.repeat(n)}`))
    const reports = words.map((effectiveDirective) => ({ type: 'x', body: { effectiveDirective } }))
    expect((await report(JSON.stringify(reports))).status).toBe(204)
    const text = await counted()
    expect(text).toContain('{directive="other"} 20')
    expect(text).not.toMatch(/label/i)
  })

  it.each([
    ['another type', '{}', 'application/json', 415],
    ['a form', 'a=b', 'application/x-www-form-urlencoded', 415],
    ['no JSON', 'x', 'application/reports+json', 400],
    ['too much', `"${'x'.repeat(17_000)}"`, 'application/reports+json', 413],
    ['JSON that is no report', '[1,null,{"body":7}]', 'application/reports+json', 204],
  ])('%s', async (_, body, type, status) => {
    const { report } = await start()
    expect((await report(body, type)).status).toBe(status)
  })

  it('are limited per address', async () => {
    const { report } = await start({ limits: { reportsPerMinute: 2 } })
    const statuses = [await report('[]'), await report('[]'), await report('[]')].map(({ status }) => status)
    expect(statuses).toEqual([204, 204, 429])
  })
})
