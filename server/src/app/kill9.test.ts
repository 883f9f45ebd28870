import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { ConsoleProcess } from '../../testing/console-process.ts'
import { Seeded } from '../../testing/seeded.ts'
import { TestBrowser } from '../../testing/test-browser.ts'
import type { TestWorld } from '../../testing/test-world.ts'
import { clusterName, people, startTestWorld } from '../../testing/test-world.ts'
import { SqliteAttestationStore } from '../audit/attestation-store.sqlite.ts'
import { SqliteAuditStore } from '../audit/audit-store.sqlite.ts'
import { parseRecord } from '../audit/record.ts'
import { verifyHistory } from '../audit/verify-history.ts'
import { openDatabase } from '../database/database.ts'
import { loadKeys } from '../lib/keys.ts'
import { systemRandom } from '../lib/random.ts'

const kills = process.env['MALLEUS_LONG'] === '1' ? 500 : 5

// A whole console for each kill, on a machine that may have much to do.
vi.setConfig({ testTimeout: 120_000 + kills * 20_000 })

let world: TestWorld
let ends: (() => Promise<void> | void)[]

beforeEach(async () => {
  world = await startTestWorld()
  ends = [() => world.close()]
})
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end()
})

describe('T-kill9', () => {
  test(`of ${kills} kills in the middle of work none leaves a change without its record, or a history that does not hold`, async () => {
    const seeded = new Seeded(9)
    let admin: TestBrowser | undefined
    let changed = 0
    for (let kill = 0; kill < kills; kill += 1) {
      const running = new ConsoleProcess(world.configFile, world.managementPort)
      ends.push(() => running.close())
      await running.ready()
      admin ??= await signIn()
      // Some changes are answered, some are under way, and one has just been sent.
      const until = 1 + seeded.below(12)
      let answered = 0
      const killed = new AbortController()
      const workers = ['server1', 'server2', 'server3'].map((member) =>
        changeUntil(admin!, member, killed.signal, () => {
          answered += 1
          if (answered === until) running.signal('SIGKILL')
        }),
      )
      expect(await running.exited, running.output).toBe('SIGKILL')
      killed.abort()
      await Promise.all(workers)
      changed += answered
    }
    expect(changed).toBeGreaterThanOrEqual(kills)

    const { records, finding } = await history()
    expect(finding.breach).toBeNull()
    const intents = records.filter(({ action, phase }) => action.startsWith('member.') && phase === 'intent')
    expect(world.cluster.executions.length).toBeGreaterThan(0)
    expect(intents.length).toBeGreaterThanOrEqual(world.cluster.executions.length)
    expect(new Set(records.map(({ chain }) => chain)).size).toBe(kills)
  })
})

/** One change after the other, whatever they are answered, until the console is gone. */
async function changeUntil(
  browser: TestBrowser,
  member: string,
  killed: AbortSignal,
  onAnswered: () => void,
): Promise<void> {
  for (let turn = 0; !killed.aborted; turn += 1) {
    const action = turn % 2 === 0 ? 'evacuate' : 'restore'
    const where = `/api/clusters/${clusterName}/members/${member}/state`
    const answer = await browser.post(where, { action, mode: '' }, systemRandom.uuid()).catch(() => null)
    // Without an answer the console was killed, or a busy machine kept it too long: then it is asked again.
    if (answer !== null) onAnswered()
  }
}

async function signIn(): Promise<TestBrowser> {
  const browser = new TestBrowser(world.publicUrl, world.provider)
  ends.push(() => browser.close())
  expect(await browser.signIn(people.admin.sub)).toBe('/')
  return browser
}

async function history() {
  const folder = path.join(world.folder, 'var')
  const database = await openDatabase(folder, 'audit')
  const records = new SqliteAuditStore(database)
  const keys = await loadKeys(path.join(world.folder, 'keys'), { create: false, random: systemRandom })
  const attestations = new SqliteAttestationStore(database)
  const finding = await verifyHistory({ records, attestations, key: keys.signing })
  const lines = await records.after(0, 1_000_000)
  await database.close()
  return { finding, records: lines.map(({ text }) => parseRecord(text)).filter((record) => record !== undefined) }
}
