import { expect, test } from 'vitest'
import { sourceNotices } from './source-notices.ts'

const at = '2026-11-22T12:00:00.000Z'
const server = { member: 'server3', isRead: false, linesPerSecond: 0, reason: null }

test('where all is heard there is nothing to say', () => {
  const servers = [{ ...server, isRead: true }]
  expect(sourceNotices({ requests: { off: null, servers }, deaf: [] })).toEqual([])
})

test('a server that is not heard is named with since when and why', () => {
  const deaf = [{ member: 'server3', since: at, reason: 'server3 did not answer' }]
  expect(sourceNotices({ requests: { off: null, servers: [server] }, deaf })).toMatchObject([
    { tone: 'warning', headline: expect.stringContaining('Requests to server3'), text: 'server3 did not answer.' },
  ])
})

test('a server whose log is too busy says how busy', () => {
  const busy = 'It wrote 250 lines per second; above 200 the log is read only with requestLog: on.'
  const deaf = [{ member: 'server3', since: at, reason: 'it wrote much' }]
  expect(sourceNotices({ requests: { off: null, servers: [{ ...server, reason: busy }] }, deaf })).toMatchObject([
    { text: busy },
  ])
})

test('where requests are not read at all that is said once, and events that are not heard beside it', () => {
  const deaf = [
    { member: 'server3', since: at, reason: 'the console was not running' },
    { member: null, since: at, reason: 'no server is listened to' },
  ]
  const notices = sourceNotices({ requests: { off: 'The configuration says requestLog: off.', servers: [] }, deaf })
  expect(notices.map(({ tone }) => tone)).toEqual(['warning', 'info'])
})
