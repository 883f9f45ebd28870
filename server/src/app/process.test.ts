import { readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { once } from 'node:events'
import path from 'node:path'
import { CompiledQuery } from 'kysely'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { ConsoleProcess } from '../../testing/console-process.ts'
import { eventually } from '../../testing/eventually.ts'
import { TestBrowser } from '../../testing/test-browser.ts'
import type { TestWorld } from '../../testing/test-world.ts'
import { clusterName, people, startTestWorld } from '../../testing/test-world.ts'
import { changeState } from '../../testing/tour.ts'
import { SqliteAuditStore } from '../audit/audit-store.sqlite.ts'
import { parseRecord } from '../audit/record.ts'
import { nothingVerified, verifyLines } from '../audit/verify.ts'
import { openDatabase } from '../database/database.ts'

// A whole console, on a machine that may have much to do.
vi.setConfig({ testTimeout: 90_000 })

let world: TestWorld
let ends: (() => Promise<void> | void)[]

beforeEach(async () => {
  world = await startTestWorld()
  ends = [() => world.close()]
})
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end()
})

describe('the console as a process', () => {
  test('leaves so that nobody notices when it is told to: not ready at once, streams sent away, exit 0', async () => {
    const running = begin()
    await running.ready()
    const viewer = await signIn('viewer')
    const live = await viewer.live()

    running.signal('SIGTERM')
    const toldAt = performance.now()
    expect(
      await eventually(
        () => running.readiness(),
        (status) => status !== 200,
      ),
    ).toBe(503)
    expect(performance.now() - toldAt).toBeLessThan(1_000)
    // Until whoever balances the load has noticed, everything is still served.
    const reply = await viewer.get('/api/session')
    expect([reply.status, reply.headers.connection]).toEqual([200, 'close'])

    await live.next('goaway')
    await live.ended
    expect(await running.exited).toBe(0)
    expect(performance.now() - toldAt).toBeLessThan(15_000)
    const records = await history()
    expect(records.at(-1)).toMatchObject({ phase: 'close', action: 'chain.end' })
  })

  test('killed at any moment keeps its sessions, and a history that holds', async () => {
    const first = begin()
    await first.ready()
    const admin = await signIn('admin')
    const reply = await eventually(
      () => changeState(admin, clusterName, 'server2', 'evacuate'),
      ({ status }) => status === 202,
    )
    expect(reply.status).toBe(202)
    first.signal('SIGKILL')
    expect(await first.exited).toBe('SIGKILL')

    const second = begin()
    await second.ready()
    expect((await admin.get('/api/session')).status).toBe(200)
    await history((lines) => {
      const { breach, records, heads } = verifyLines(nothingVerified, lines)
      expect(breach).toBeNull()
      expect(records).toBeGreaterThan(5)
      expect(heads.size).toBe(2)
    })
    const intents = (await history()).filter(({ action, phase }) => action === 'member.evacuate' && phase === 'intent')
    expect(intents.length).toBeGreaterThanOrEqual(world.cluster.executions.length)
    await second.close()
  })

  test('with a configuration full of mistakes lists them all, and ends with 2', async () => {
    await writeFile(world.configFile, 'publicUrl: http://example.net\nstorage: cloud\nclusters: []\ntypo: yes\n')
    const running = begin()
    expect(await running.exited).toBe(2)
    for (const name of ['publicUrl', 'storage', 'clusters', 'oidc', 'typo']) expect(running.output).toContain(name)
    expect(running.output).not.toMatch(/\n {4}at /)
  })

  test('without its configuration file says which one it looked for, and ends with 2', async () => {
    const missing = path.join(world.folder, 'elsewhere.yaml')
    const running = begin(missing)
    expect(await running.exited).toBe(2)
    expect(running.output).toContain(missing)
  })

  test('whose port somebody else has says so, and ends with 1', async () => {
    const other = createServer()
    other.listen(world.port, '127.0.0.1')
    await once(other, 'listening')
    ends.push(() => void other.close())
    const running = begin()
    expect(await running.exited).toBe(1)
    expect(running.output).toContain(
      `malleus: The console cannot listen on 127.0.0.1:${world.port}, because something else does already.`,
    )
    expect(running.output).not.toMatch(/\n {4}at /)
    // What it had begun is ended properly.
    expect((await history()).at(-1)).toMatchObject({ phase: 'close' })
  })

  test('that is to keep its database where no folder can be says so, and ends with 2', async ({ skip }) => {
    if (process.platform !== 'linux') return skip('there is no /proc here')
    const settings: unknown = JSON.parse(await readFile(world.configFile, 'utf8'))
    const changed = { ...z.record(z.string(), z.unknown()).parse(settings), storage: 'sqlite:/proc/malleus' }
    await writeFile(world.configFile, JSON.stringify({ ...changed, keys: undefined }))
    const running = begin()
    expect(await running.exited).toBe(2)
    expect(running.output).toContain('malleus: The folder /proc/malleus cannot be made (ENOENT).')
    expect(running.output).not.toMatch(/\n {4}at /)
  })

  test('that cannot write its database says which one, and ends with 2', async () => {
    await writeFile(path.join(world.folder, 'var'), 'a file where the folder should be')
    const running = begin()
    expect(await running.exited).toBe(2)
    expect(running.output).toMatch(/malleus: The console cannot write its database .*malleus\.db/)
    expect(running.output).not.toMatch(/\n {4}at /)
  })

  test('that cannot write its access history does not start, and says so', async () => {
    const audit = await openDatabase(path.join(world.folder, 'var'), 'audit')
    await audit.atomically([
      CompiledQuery.raw(`create trigger refuse before insert on record begin select raise(abort, 'disk full'); end`),
    ])
    await audit.close()
    const running = begin()
    expect(await running.exited).toBe(1)
    expect(running.output).toMatch(
      /malleus: The access history cannot be written \(.*disk full.*\), so the console does not start\./,
    )
    expect(running.output).not.toMatch(/\n {4}at /)
  })
})

function begin(configFile = world.configFile): ConsoleProcess {
  const running = new ConsoleProcess(configFile, world.managementPort)
  ends.push(() => running.close())
  return running
}

async function signIn(person: 'admin' | 'viewer'): Promise<TestBrowser> {
  const browser = new TestBrowser(world.publicUrl, world.provider)
  ends.push(() => browser.close())
  expect(await browser.signIn(people[person].sub)).toBe('/')
  return browser
}

async function history(check?: (lines: Awaited<ReturnType<SqliteAuditStore['after']>>) => void) {
  const database = await openDatabase(path.join(world.folder, 'var'), 'audit')
  const lines = await new SqliteAuditStore(database).after(0, 100_000)
  await database.close()
  check?.(lines)
  return lines.map(({ text }) => parseRecord(text)).filter((record) => record !== undefined)
}
