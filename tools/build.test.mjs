import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { build } from './build.mjs'

const root = path.resolve(import.meta.dirname, '..')

let folder
let dist
const children = []

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'malleus-build-'))
  dist = path.join(folder, 'dist')
  const code = await build({ root, node: process.execPath, env: process.env }, dist)
  if (code !== 0) throw new Error(`the build ended with ${code}`)
})

afterAll(async () => {
  for (const child of children) child.kill('SIGKILL')
  await rm(folder, { recursive: true, force: true })
})

describe('what is installed', () => {
  test('is the command, the server in one file, its database thread and the pages', async () => {
    expect((await readdir(dist)).toSorted()).toEqual([
      'LICENSE',
      'console.mjs',
      'malleus.mjs',
      'package.json',
      'sqlite-worker.js',
      'web',
    ])
  })

  test('starts, is healthy and ready, shows its page, and ends when it is told to', async () => {
    const [port, management] = [await freePort(), await freePort()]
    const config = path.join(folder, 'malleus.yaml')
    await writeFile(config, configuration(port, management))
    const running = malleus(['start', '--config', config])
    await answers(`http://127.0.0.1:${management}/readyz`, running)
    expect(await textOf(`http://127.0.0.1:${management}/healthz`)).toBe('ok\n')
    expect(await textOf(`http://127.0.0.1:${management}/readyz`)).toBe('{"ready":true,"reasons":[]}')
    expect(await textOf(`http://127.0.0.1:${management}/metrics`)).toContain('malleus_build_info{version="')
    const page = await textOf(`http://127.0.0.1:${port}/`)
    expect(page).toContain('<title>Malleus</title>')
    const [, script = ''] = /<script[^>]* src="([^"]+)"/.exec(page) ?? []
    expect((await fetch(`http://127.0.0.1:${port}${script}`)).headers.get('content-type')).toContain('javascript')
    running.child.kill('SIGTERM')
    expect(await running.ended).toBe(0)
  })

  test('knows its version', async () => {
    const running = malleus(['--version'])
    expect(await running.ended).toBe(0)
    const { version } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8'))
    expect(running.output()).toBe(`${version}\n`)
  })

  test.each(['18.20.4', '20.20.2', '22.9.0'])('on Node %s says in one sentence which Node it needs', async (old) => {
    const pretends = `data:text/javascript,Object.defineProperty(process, 'versions', { value: { node: '${old}' } })`
    const running = malleus(['start'], ['--import', pretends])
    expect(await running.ended).toBe(1)
    expect(running.output()).toBe(`malleus: This needs Node 24 or newer, and this is Node ${old}.\n`)
  })

  test('says so on a real older Node too', async ({ skip }) => {
    const version = await versionOf('/usr/bin/node')
    if (version === null || Number(version.split('.')[0]) >= 24) return skip('there is no older Node here')
    const running = malleus(['start'], [], '/usr/bin/node')
    expect(await running.ended).toBe(1)
    expect(running.output()).toBe(`malleus: This needs Node 24 or newer, and this is Node ${version}.\n`)
  })
})

function malleus(args, flags = [], node = process.execPath) {
  const child = spawn(node, [...flags, path.join(dist, 'malleus.mjs'), ...args], { cwd: folder })
  children.push(child)
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text))
  return { child, output: () => output, ended: once(child, 'close').then(([code, signal]) => code ?? signal) }
}

async function versionOf(node) {
  const child = spawn(node, ['--version'])
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text) => (output += text))
  return Promise.race([
    once(child, 'close').then(() => output.trim().replace(/^v/, '')),
    once(child, 'error').then(() => null),
  ]).catch(() => null)
}

async function answers(url, running) {
  const deadline = performance.now() + 30_000
  for (;;) {
    const status = await fetch(url).then(
      (reply) => reply.status,
      () => 0,
    )
    if (status === 200) return
    if (running.child.exitCode !== null || performance.now() > deadline) throw new Error(running.output())
    await pause(50)
  }
}

async function textOf(url) {
  return (await fetch(url)).text()
}

async function freePort() {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}

/** Neither the provider nor any member answers, and the console starts all the same. */
function configuration(port, management) {
  return `
publicUrl: http://127.0.0.1:${port}
listen: 127.0.0.1:${port}
management: 127.0.0.1:${management}
storage: sqlite:./var
limits: { drainGraceMs: 0 }
oidc: { issuer: 'http://127.0.0.1:9', clientId: malleus, clientSecret: only-for-this-test }
roles: { viewer: { groups: [staff] } }
clusters:
  - name: prod
    members: ['127.0.0.1:9']
    trust: { fingerprints: ['${'ab'.repeat(32)}'] }
    mode: bearer
`
}
