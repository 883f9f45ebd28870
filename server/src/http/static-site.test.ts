import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestDoor, type TestDoor } from '../../testing/test-door.ts'
import { systemRandom } from '../lib/random.ts'
import { loadStaticSite } from './static-site.ts'

let folder: string
let door: TestDoor
const script = `export const text = '${'words and '.repeat(200)}'\n`

beforeAll(async () => {
  folder = path.join(await mkdtemp(path.join(tmpdir(), 'malleus-site-')), 'dist')
  await mkdir(path.join(folder, 'assets'), { recursive: true })
  await mkdir(path.join(folder, '.vite'))
  await writeFile(
    path.join(folder, 'index.html'),
    '<meta property="csp-nonce" nonce="__CSP_NONCE__"><script nonce="__CSP_NONCE__">1</script>',
  )
  await writeFile(path.join(folder, 'assets', 'index-BxK3f_9a.js'), script)
  await writeFile(path.join(folder, 'favicon.svg'), '<svg/>')
  await writeFile(path.join(folder, '.vite', 'manifest.json'), '{}')
  door = await startTestDoor({ routes: [], site: await loadStaticSite(folder, systemRandom) })
})
afterAll(async () => {
  await door.close()
  await rm(path.dirname(folder), { recursive: true })
})

const page = (address: string, headers: Record<string, string | undefined> = {}) =>
  door.ask(address, { as: null, headers: { accept: 'text/html', 'x-console-request': undefined, ...headers } })

describe('the page', () => {
  it.each(['/', '/prod-eu/servers/server3', '/sign-in', '/anything?at=all', '/with/slash/'])(
    'is what %s leads to',
    async (address) => {
      const reply = await page(address)
      expect(reply.status).toBe(200)
      expect(reply.headers['content-type']).toBe('text/html; charset=utf-8')
      expect(reply.headers['cache-control']).toBe('no-store')
    },
  )

  it('carries a nonce of 128 bits that is in its policy, in every place, and never used again', async () => {
    const nonces = new Set<string>()
    for (let time = 0; time < 5; time += 1) {
      const { text, headers } = await page('/')
      const nonce =
        /script-src 'nonce-([A-Za-z0-9+/]{22}==)'/.exec(String(headers['content-security-policy']))?.[1] ?? ''
      expect(text).toBe(`<meta property="csp-nonce" nonce="${nonce}"><script nonce="${nonce}">1</script>`)
      nonces.add(nonce)
    }
    expect(nonces.size).toBe(5)
  })

  it('may do what its policy says, and nothing else', async () => {
    const { headers } = await page('/')
    expect(String(headers['content-security-policy']).replaceAll(/'nonce-[^']+'/g, "'nonce-N'")).toBe(
      "default-src 'none'; script-src 'nonce-N' 'strict-dynamic'; style-src 'self' 'nonce-N'; img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; manifest-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; frame-src 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types console; report-to csp",
    )
    expect(headers).toMatchObject({
      'reporting-endpoints': 'csp="/reports"',
      'strict-transport-security': 'max-age=63072000; includeSubDomains',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-embedder-policy': 'require-corp',
      'cross-origin-resource-policy': 'same-origin',
      'origin-agent-cluster': '?1',
      'x-frame-options': 'DENY',
    })
    expect(headers['permissions-policy']).toContain('camera=()')
    expect(headers['permissions-policy']).toContain('clipboard-write=(self)')
    expect(headers['server']).toBeUndefined()
    expect(headers['x-powered-by']).toBeUndefined()
  })

  it('is never what a missing file, an unknown API or another method leads to', async () => {
    expect((await page('/assets/missing-12345678.js')).status).toBe(404)
    expect((await page('/favicon.ico', { accept: 'image/*' })).status).toBe(404)
    expect((await page('/.vite/manifest.json', { accept: 'application/json' })).status).toBe(404)
    expect((await page('/d/ticket')).status).toBe(404)
    expect((await page('/auth/other')).status).toBe(404)
    expect((await page('/api/other')).status).toBe(403)
    expect((await door.ask('/', { method: 'POST', body: '{}' })).status).toBe(405)
    expect((await page('/../../etc/passwd')).status).toBe(400)
    expect((await page('/%2e%2e/%2e%2e/etc/passwd')).status).toBe(400)
  })
})

describe('a file of the site', () => {
  it.each([
    ['br', 'gzip, deflate, br, zstd', (body: Buffer) => brotliDecompressSync(body)],
    ['gzip', 'gzip, br;q=0', (body: Buffer) => gunzipSync(body)],
    [undefined, 'deflate', (body: Buffer) => body],
  ])('with a hash in its name is kept for ever, compressed as %s', async (encoding, accepted, decode) => {
    const response = await fetch(`http://127.0.0.1:${door.port}/assets/index-BxK3f_9a.js`, {
      headers: { 'accept-encoding': accepted },
      method: 'HEAD',
    })
    expect(response.headers.get('content-encoding') ?? undefined).toBe(encoding)
    expect(response.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
    expect(response.headers.get('content-type')).toBe('text/javascript; charset=utf-8')
    const raw = await door.raw(
      `GET /assets/index-BxK3f_9a.js HTTP/1.1\r\nHost: x\r\nAccept-Encoding: ${accepted}\r\nConnection: close\r\n\r\n`,
    )
    const body = Buffer.from(raw.slice(raw.indexOf('\r\n\r\n') + 4), 'latin1')
    expect(body).toHaveLength(Number(response.headers.get('content-length')))
    expect(decode(body).toString()).toBe(script)
  })

  it('without one is asked for again, and not sent again', async () => {
    const first = await page('/favicon.svg')
    expect(first.headers['cache-control']).toBe('no-cache')
    const etag = first.headers.etag ?? ''
    const again = await page('/favicon.svg', { 'if-none-match': etag })
    expect([again.status, again.text]).toEqual([304, ''])
  })
})

describe('a site', () => {
  it('that was not built says so in a sentence', async () => {
    const empty = await startTestDoor({
      routes: [],
      site: await loadStaticSite(path.join(folder, 'nothing'), systemRandom),
    })
    const reply = await empty.ask('/', { as: null })
    expect([reply.status, reply.text]).toEqual([503, expect.stringContaining('have not been built')])
    await empty.close()
  })

  it('without a place for the nonce is refused at the start', async () => {
    const broken = path.join(path.dirname(folder), 'broken')
    await mkdir(broken)
    await writeFile(path.join(broken, 'index.html'), '<script>1</script>')
    await expect(loadStaticSite(broken, systemRandom)).rejects.toThrow('__CSP_NONCE__')
  })
})
