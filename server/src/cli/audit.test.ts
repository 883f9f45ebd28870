import { readFile, rm, mkdtemp, writeFile, appendFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { SqliteAttestationStore } from '../audit/attestation-store.sqlite.ts'
import { openAuditLog } from '../audit/audit-log.ts'
import { SqliteAuditStore } from '../audit/audit-store.sqlite.ts'
import { Checkpoints } from '../audit/checkpoints.ts'
import { auditEntry } from '../audit/record.ts'
import { openDatabase } from '../database/database.ts'
import { systemClock } from '../lib/clock.ts'
import { loadKeys } from '../lib/keys.ts'
import { silentLogger } from '../lib/logger.ts'
import { systemRandom } from '../lib/random.ts'
import { runMalleus } from './commands.ts'

let folder: string
const inFolder = (name: string) => path.join(folder, name)

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'malleus-cli-audit-'))
  const yaml = [
    'publicUrl: https://console.example.net',
    'storage: sqlite:.',
    'oidc: { issuer: https://idp.example.net, clientId: malleus, clientSecret: x }',
    'clusters: [{ name: prod-eu, members: [127.0.0.1:8443], trust: { fingerprints: [9f41000000000000000000000000000000000000000000000000000000000000] } }]',
    'trustedProxies: [127.0.0.1]',
  ]
  await writeFile(inFolder('malleus.yaml'), yaml.join('\n'))
  await work(['server1', 'server2', '=server3'])
})

afterEach(async () => {
  await rm(folder, { recursive: true, force: true })
})

/** A start of the console in which something was done. */
async function work(objects: readonly string[]): Promise<void> {
  const { signing } = await loadKeys(inFolder('keys'), { create: true, random: systemRandom })
  const database = await openDatabase(folder, 'audit')
  const tools = { clock: systemClock, random: systemRandom, logger: silentLogger }
  const history = await openAuditLog({ store: new SqliteAuditStore(database), ...tools })
  const checkpoints = new Checkpoints({ store: new SqliteAttestationStore(database), signing, history, ...tools })
  for (const object of objects)
    await history.intent(auditEntry({ action: 'member.evacuate', cluster: 'prod-eu', object }))
  await history.close()
  await checkpoints.stop()
  await database.close()
}

/** What somebody does who has the file and not the key. */
async function tamper(...statements: readonly string[]): Promise<void> {
  const database = await openDatabase(folder, 'audit')
  const forbidding = ['record_is_not_removed', 'record_is_not_changed', 'attestation_is_not_removed']
  for (const statement of [...forbidding.map((name) => `drop trigger ${name}`), ...statements]) {
    await sql.raw(statement).execute(database.tables<object>())
  }
  await database.close()
}

async function malleus(...args: string[]) {
  let [out, err] = ['', '']
  const status = await runMalleus(args, {
    out: (text) => (out += text),
    err: (text) => (err += text),
    readToken: () => Promise.resolve(''),
    start: () => Promise.resolve(0),
    environment: { MALLEUS_CONFIG: inFolder('malleus.yaml') },
  })
  return { status, out, err }
}

describe('malleus audit verify', () => {
  test('says that a history is what was written', async () => {
    expect(await malleus('audit', 'verify')).toEqual({
      status: 0,
      out: 'The access history is what was written: 5 records, 1 signed statements.\n',
      err: '',
    })
  })

  test('names the record that was altered in the file', async () => {
    await tamper(`update record set text = replace(text, 'server2', 'server9') where seq = 2`)
    const { status, err } = await malleus('audit', 'verify')
    expect(err).toMatch(/^malleus: Record 2 of chain [-0-9a-f]+ was changed: /)
    expect(status).toBe(10)
  })

  test('finds an end that was cut off together with its checkpoint only against a copy', async () => {
    await work(['server4'])
    const database = await openDatabase(folder, 'audit')
    const said = await new SqliteAttestationStore(database).after(0, 10)
    await database.close()
    await writeFile(inFolder('copies'), said.map(({ text }) => `<109>1 - malleus - ${text}\n`).join(''))
    expect(await malleus('audit', 'verify', '--against', inFolder('copies'))).toMatchObject({ status: 0 })
    await tamper('delete from record where position > 5', 'delete from attestation where number > 1')
    expect(await malleus('audit', 'verify')).toMatchObject({ status: 0 })
    const { status, err } = await malleus('audit', 'verify', '--against', inFolder('copies'))
    expect(err).toMatch(/ was cut off: /)
    expect(status).toBe(10)
  })

  test('without a history, or with a file that is none, says so', async () => {
    await writeFile(inFolder('copies'), '{}\n')
    expect(await malleus('audit', 'verify', '--against', inFolder('copies'))).toMatchObject({ status: 10 })
    expect(await malleus('audit', 'verify', '--against', inFolder('nothing'))).toMatchObject({ status: 2 })
    await rm(inFolder('audit.db'))
    expect((await malleus('audit', 'verify')).err).toContain('There is no access history in')
  })
})

describe.each(['ndjson', 'csv'])('malleus audit export as %s', (format) => {
  const file = `export.${format}`

  async function exported(...more: string[]) {
    const done = await malleus('audit', 'export', '--out', inFolder(file), '--format', format, ...more)
    return { ...done, lines: (await readFile(inFolder(file), 'utf8')).split(/(?<=\n)/) }
  }

  test('writes the records and a manifest that the history agrees with, and is itself recorded', async () => {
    const { status, out, lines } = await exported()
    expect(status, out).toBe(0)
    expect(lines).toHaveLength(5 + 2 + (format === 'csv' ? 1 : 0))
    expect(lines.join('')).toContain('audit.export')
    expect(lines.join('').includes(",'=server3,")).toBe(format === 'csv')
    expect(await malleus('audit', 'verify', '--against', inFolder(file))).toMatchObject({ status: 0, err: '' })
    expect(await malleus('audit', 'export', '--out', inFolder(file))).toMatchObject({ status: 9 })
  })

  test('takes only what was asked for', async () => {
    const { lines } = await exported('--cluster', 'prod-eu', '--since', '2020-01-01')
    expect(lines).toHaveLength(3 + (format === 'csv' ? 1 : 0))
    const { lines: none } = await (async () => {
      await rm(inFolder(file))
      await rm(inFolder(`${file}.manifest.json`))
      return exported('--before', '2020-01-01')
    })()
    expect(none.join('')).toMatch(format === 'csv' ? /^time,[^\n]*\n$/ : /^$/)
    expect(await malleus('audit', 'verify', '--against', inFolder(file))).toMatchObject({ status: 0, err: '' })
  })

  const first = format === 'csv' ? 1 : 0
  test.each<[string, (lines: string[]) => string[], RegExp]>([
    [
      'changed',
      (lines) => lines.with(first + 2, lines[first + 2]!.replace('server2', 'server8')),
      /Record 2 .* was changed/,
    ],
    ['dropped', (lines) => lines.toSpliced(first + 2, 1), /Record 2 .* was dropped/],
    ['inserted', (lines) => lines.toSpliced(first + 2, 0, lines[first + 1]!), /Record 1 .* was inserted/],
    [
      'reordered',
      (lines) => lines.with(first + 1, lines[first + 3]!).with(first + 3, lines[first + 1]!),
      /was reordered/,
    ],
    ['cut off', (lines) => lines.slice(0, first + 3), /was cut off: 4 records/],
  ])('T-tamper: finds what was %s', async (_what, change, message) => {
    const { lines } = await exported()
    await writeFile(inFolder(file), change(lines).join(''))
    const { status, err } = await malleus('audit', 'verify', '--against', inFolder(file))
    expect(err).toMatch(message)
    expect(status).toBe(10)
  })

  test('T-tamper: finds a manifest that was changed, and words behind the end', async () => {
    await exported()
    const manifest = inFolder(`${file}.manifest.json`)
    const said = await readFile(manifest, 'utf8')
    await writeFile(manifest, said.replace('"records":7', '"records":6'))
    expect((await malleus('audit', 'verify', '--against', inFolder(file))).err).toContain('The manifest was changed')
    await writeFile(manifest, said)
    await appendFile(inFolder(file), 'more\r\n')
    expect((await malleus('audit', 'verify', '--against', inFolder(file))).err).toContain('was inserted')
  })
})

describe('malleus audit prune', () => {
  test('removes what is older and leaves a history that holds, with what was done in it', async () => {
    const tomorrow = new Date(Date.now() + 86_400_000).toISOString()
    const { status, out } = await malleus('audit', 'prune', '--before', tomorrow)
    expect([status, out]).toEqual([0, expect.stringMatching(/^5 records from before .* were removed/)])
    const { out: verified } = await malleus('audit', 'verify')
    expect(verified).toContain('The access history is what was written: 4 records, 3 signed statements')
  })

  test.each([
    [['prune'], 'needs --before DATE'],
    [['prune', '--before', 'soon'], 'is a date such as'],
    [['prune', '--before', '2026-01-01', '--source', 'other'], '--source is console or incus'],
    [['export'], 'needs --out FILE'],
    [['export', '--out', 'x', '--format', 'pdf'], '--format is ndjson or csv'],
    [[], 'followed by verify, export or prune'],
  ])('audit %j is not understood', async (args, why) => {
    const { status, err } = await malleus('audit', ...args)
    expect([status, err]).toEqual([2, expect.stringContaining(why)])
  })
})
