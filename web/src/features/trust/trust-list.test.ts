import type { Finding } from '@malleus/shared/api/finding.ts'
import type { PendingToken, TrustEntry } from '@malleus/shared/api/trust.ts'
import { describe, expect, test } from 'vitest'
import { warningsOf } from './RemoveDialog.tsx'
import { describeTrust, filterEntries, formatSort, parseSort, sortEntries, type Kind } from './trust-list.ts'
import { certificateCommand, mayDo, removeCommand, tokenCommand, unseen } from './trust-words.ts'

function entry(name: string, more: Partial<TrustEntry> = {}): TrustEntry {
  return {
    fingerprint: Buffer.from(name).toString('hex').padEnd(64, '0'),
    name,
    type: 'client',
    restricted: false,
    projects: [],
    description: '',
    certificate: {
      subject: `CN=${name}`,
      issuer: 'CN=Example authority',
      selfSigned: false,
      key: 'ECDSA P-384',
      signature: 'ecdsa-with-SHA384',
      validFromAt: '2026-01-01T00:00:00.000Z',
      expiresAt: '2036-01-01T00:00:00.000Z',
    },
    isConsole: false,
    lastUse: null,
    findings: [],
    ...more,
  }
}

const bad: Finding = { severity: 'bad', code: 'expired', text: 'It has expired, so Incus refuses it.' }
const all: readonly TrustEntry[] = [
  entry('laptop10'),
  entry('laptop2', { restricted: true, projects: ['web'] }),
  entry('prometheus', { type: 'metrics' }),
  entry('old', { findings: [bad], certificate: null }),
  entry('server1', { type: 'server' }),
]
const names = (entries: readonly TrustEntry[]) => entries.map(({ name }) => name)

describe('the entries that are shown', () => {
  test.each<[string, string, Kind | undefined, string[]]>([
    ['all but those of servers', '', undefined, ['laptop10', 'laptop2', 'prometheus', 'old']],
    ['those of servers when they are asked for', '', 'server', ['server1']],
    ['the clients', '', 'client', ['laptop10', 'laptop2', 'old']],
    ['what reads metrics', '', 'metrics', ['prometheus']],
    ['what is restricted', '', 'restricted', ['laptop2']],
    ['what needs somebody', '', 'attention', ['old']],
    ['by name', 'laptop', undefined, ['laptop10', 'laptop2']],
    ['by project', 'web', undefined, ['laptop2']],
    ['by what is wrong', 'expired', undefined, ['old']],
    ['by fingerprint', Buffer.from('laptop2').toString('hex'), undefined, ['laptop2']],
    ['by several words', 'laptop authority', undefined, ['laptop10', 'laptop2']],
    ['none', 'laptop metrics', undefined, []],
  ])('%s', (_, query, kind, expected) => {
    expect(names(filterEntries(all, { query, kind }))).toEqual(expected)
  })

  test('stand by name as people count, and what is not known comes last either way', () => {
    expect(names(sortEntries(all, parseSort(undefined)))).toEqual([
      'laptop2',
      'laptop10',
      'old',
      'prometheus',
      'server1',
    ])
    expect(names(sortEntries(all, parseSort('expires'))).at(-1)).toBe('old')
    expect(names(sortEntries(all, parseSort('-expires'))).at(-1)).toBe('old')
    expect(names(sortEntries(all, parseSort('state')))[0]).toBe('old')
  })

  test('the usual order needs no word in the link', () => {
    expect(formatSort(parseSort('nonsense'))).toBeUndefined()
    expect(formatSort(parseSort('-expires'))).toBe('-expires')
  })

  test('are counted in a sentence', () => {
    const token: PendingToken = {
      id: 'a',
      name: 'new',
      restricted: false,
      projects: [],
      member: null,
      madeAt: '2026-01-01T00:00:00.000Z',
      madeBy: null,
      expiresAt: null,
      withdrawnAt: null,
    }
    expect(describeTrust(all, [], 4)).toBe('4 clients, 1 restricted.')
    expect(describeTrust(all, [token], 2)).toBe('2 of 4 clients, 1 restricted. 1 token pending.')
    expect(describeTrust([], [], 0)).toBe('0 clients.')
  })
})

describe('removing several', () => {
  const one = entry('one')
  const two = entry('two')
  const kept = entry('kept', { restricted: true, projects: ['web'] })
  const own = entry('malleus', { isConsole: true })

  test.each<[string, TrustEntry[], number]>([
    ['one administrator of two', [one], 0],
    ['both', [one, two], 1],
    ['one that is restricted', [kept], 0],
    ["the console's own", [own], 1],
  ])('%s is warned of where it takes the last way in', (_, removed, warnings) => {
    expect(warningsOf(removed, [one, two, kept, own])).toHaveLength(warnings)
  })
})

describe('in words', () => {
  test.each([
    ['Everything', entry('a')],
    ['Works in db, web', entry('a', { restricted: true, projects: ['db', 'web'] })],
    ['Nothing', entry('a', { restricted: true })],
    ['Reads metrics', entry('a', { type: 'metrics' })],
    ['Reads metrics of web', entry('a', { type: 'metrics', restricted: true, projects: ['web'] })],
    ['Acts as a member', entry('a', { type: 'server' })],
  ])('%s', (words, one) => {
    expect(mayDo(one)).toBe(words)
  })

  test('that no use was seen says since when, and what was missed', () => {
    const since = '2026-11-20T06:00:00.000Z'
    const gap = { member: 'server2', from: since, to: '2026-11-20T06:03:00.000Z', reason: 'server2 did not answer' }
    expect(unseen({ off: null, since, missed: [] })).toMatch(
      /^Not seen since 20 Nov 2026, .*request log of the servers\.$/,
    )
    expect(unseen({ off: null, since, missed: [gap] })).toMatch(/some of it was missed: server2 for 3 min\.$/)
    expect(unseen({ off: null, since, missed: [{ ...gap, to: null }] })).toMatch(/server2 since 20 Nov 2026/)
    expect(unseen({ off: 'It is switched off.', since: null, missed: [] })).toBe('It is switched off.')
    expect(unseen(null)).toMatch(/access history/)
  })

  test('the commands that do the same', () => {
    const everything = { name: "Jo's laptop", restricted: false, projects: [] }
    const some = { name: 'ci', restricted: true, projects: ['web', 'db'] }
    expect(tokenCommand('prod', everything)).toBe(`incus config trust add prod:'Jo'\\''s laptop'`)
    expect(tokenCommand('prod', some)).toBe('incus config trust add prod:ci --restricted --projects web,db')
    expect(certificateCommand('prod', { ...some, type: 'metrics' })).toBe(
      'incus config trust add-certificate prod: client.crt --name ci --type=metrics --restricted --projects web,db',
    )
    expect(removeCommand('prod', [entry('abc'), entry('xyz')])).toBe(
      'incus config trust remove prod:616263000000\nincus config trust remove prod:78797a000000',
    )
  })
})
