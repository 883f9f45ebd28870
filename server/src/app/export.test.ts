import { createHash } from 'node:crypto'
import { beginDownload } from '@malleus/shared/api/downloads.ts'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { eventually } from '../../testing/eventually.ts'
import { startTestApp } from '../../testing/test-app.ts'
import type { TestApp } from '../../testing/test-app.ts'
import type { TestBrowser } from '../../testing/test-browser.ts'
import { problemOf } from '../../testing/test-browser.ts'
import { clusterName } from '../../testing/test-world.ts'
import { ExportManifest } from '../audit/export-writer.ts'
import { parseRecord } from '../audit/record.ts'

// A whole console, on a machine that may have much to do.
vi.setConfig({ testTimeout: 45_000 })

let app: TestApp

beforeEach(async () => {
  app = await startTestApp()
})
afterEach(() => app.close())

const asked = { kind: 'audit', cluster: clusterName, filter: '', reads: false, format: 'ndjson' }

async function begin(browser: TestBrowser, said: object = {}): Promise<{ path: string; manifest: string }> {
  const reply = await browser.post('/api/downloads', { ...asked, ...said })
  expect(reply.status, reply.text).toBe(200)
  return beginDownload.reply.parse(reply.json)
}

test('an auditor exports the history, once for each time it was asked for, with a signed manifest, and both is recorded', async () => {
  const auditor = await app.signIn('auditor')
  const { path, manifest } = await begin(auditor)

  const other = await app.signIn('admin')
  expect((await other.get(path)).status).toBe(404)
  expect((await auditor.get(path, { 'sec-fetch-site': 'cross-site' })).status).toBe(404)
  expect((await auditor.get(path, { 'sec-fetch-site': undefined })).status).toBe(404)

  const file = await auditor.get(path)
  expect(file.status).toBe(200)
  expect(file.headers['content-disposition']).toMatch(/^attachment; filename="access-history-.+\.ndjson"$/)
  const records = file.text.trimEnd().split('\n').map(parseRecord)
  expect(records.every((record) => record !== undefined)).toBe(true)
  // What announced the export is in it; what it was is recorded when it is over.
  expect(records.map((record) => record?.action)).toEqual(expect.arrayContaining(['session.sign-in', 'audit.export']))
  expect((await auditor.get(path)).status).toBe(404)

  const said = ExportManifest.parse((await auditor.get(manifest)).json)
  expect(said).toMatchObject({ format: 'ndjson', by: 'Ana Auditor', filter: '', records: records.length })
  expect(said.sha256).toBe(createHash('sha256').update(file.text).digest('hex'))

  const history = await eventually(
    () => app.history(),
    (all) => all.some(({ action, out }) => action === 'audit.export' && out?.opStatus === 'success'),
  )
  const exported = history.filter(({ action }) => action === 'audit.export')
  expect(exported.map(({ phase, out }) => [phase, out?.bytes ?? null])).toEqual([
    ['intent', null],
    ['outcome', expect.any(Number)],
    ['outcome', Buffer.byteLength(file.text)],
  ])
  expect(new Set(exported.map(({ req }) => req?.id)).size).toBe(1)
})

test('an export has what was asked for, as a spreadsheet reads it', async () => {
  const auditor = await app.signIn('auditor')
  await app.signIn('viewer')
  const { path } = await begin(auditor, { filter: 'what:session.sign-in who:"Ana Auditor"', format: 'csv' })
  const [head = '', ...rows] = (await auditor.get(path)).text.trimEnd().split('\r\n')
  expect(head.split(',').slice(0, 4)).toEqual(['time', 'source', 'phase', 'who'])
  expect(rows.length).toBeGreaterThan(0)
  expect(rows.every((row) => row.includes('Ana Auditor') && row.includes('session.sign-in'))).toBe(true)
})

test.each([
  ['of a cluster that is not there', { cluster: 'nowhere' }, 404, 'not_found'],
  ['by a filter that is none', { filter: 'colour:red' }, 400, 'bad_query'],
])('an export %s is refused', async (_, said, status, code) => {
  const auditor = await app.signIn('auditor')
  const reply = await auditor.post('/api/downloads', { ...asked, ...said })
  expect([reply.status, problemOf(reply).code]).toEqual([status, code])
})

test('who may read the history and not take it away is refused', async () => {
  const operator = await app.signIn('operator')
  const reply = await operator.post('/api/downloads', asked)
  expect([reply.status, problemOf(reply).code]).toEqual([403, 'forbidden'])
})
