import { ClusterDatabase } from '@malleus/shared/api/clusters.ts'
import type { Standing, Symptom } from '@malleus/shared/domain/health.ts'
import { describe, expect, test } from 'vitest'
import { clusterDatabase, isDatabaseInDoubt, mayHoldDatabase } from './cluster-database.ts'
import type { ReportedList } from './reported-members.ts'

const at = Date.UTC(2026, 10, 22, 15, 0, 0)

/** `L` leads, `v` votes, `s` stands by, `-` holds nothing. */
function reportedWith(roles: string): ReportedList {
  const names = { L: ['database-leader', 'database'], v: ['database'], s: ['database-standby'], '-': [] }
  const rows = Array.from(roles).map((role, index) => {
    const row = {
      status: 'Online',
      message: '',
      roles: role === 'L' || role === 'v' || role === 's' ? names[role] : names['-'],
      groups: ['default'],
      failureDomain: 'default',
      architecture: 'x86_64',
      description: '',
      database: true,
    }
    return [`server${index + 1}`, row] as const
  })
  return { rows: new Map(rows), at }
}

/** One letter for each member: `.` answers, `k` was killed, `s` is stopped, `c` is cut off, … */
const conditions: Readonly<Record<string, readonly [Standing, Symptom | null]>> = {
  '.': ['healthy', null],
  k: ['ejected', 'refusing'],
  s: ['ejected', 'stuck'],
  c: ['ejected', 'unreachable'],
  r: ['ejected', 'starting'],
  n: ['ejected', null],
  w: ['untrusted', 'wrong-certificate'],
  S: ['suspect', 'stuck'],
  K: ['suspect', 'refusing'],
  d: ['suspect', null],
  l: ['suspect', 'slow'],
  p: ['probation', null],
  b: ['degraded', 'database'],
  u: ['unknown', null],
}

function lossOf(roles: string, health: string): ClusterDatabase {
  return ClusterDatabase.parse(
    clusterDatabase({
      available: false,
      goneSince: at + 5_000,
      reported: reportedWith(roles),
      health: (member) => {
        const [standing, symptom] = conditions[health.charAt(Number(member.slice(6)) - 1)] ?? ['unknown', null]
        return { standing, symptom, since: at + 4_000, answeredAt: at + 3_000 }
      },
    }),
  )
}

describe('what has become of the cluster database', () => {
  test.each<[string, string, string, string]>([
    // Enough voters are left, and the leader is not among them.
    ['the leader was killed', 'Lvv', 'k..', 'leader-gone'],
    ['the first failed question says so already', 'Lvv', 'K..', 'leader-gone'],
    ['another one leads and was killed', 'vvL', '..k', 'leader-gone'],
    ['the leader is being restarted', 'Lvv', 'r..', 'leader-gone'],
    ['the leader is stopped', 'Lvv', 's..', 'leader-silent'],
    ['the leader is stopped, as the first question says', 'Lvv', 'S..', 'leader-silent'],
    ['the leader is cut off', 'Lvv', 'c..', 'leader-silent'],
    ['the leader does not answer, and does not show why', 'Lvv', 'n..', 'leader-silent'],
    ['a stranger is at the address of the leader', 'Lvv', 'w..', 'leader-silent'],
    ['the leader is stopped, and one of five voters is dead', 'Lvvvv', 'sk...', 'leader-silent'],
    ['the leader and a server without the database', 'Lvv--', 'k..kk', 'leader-gone'],
    // Too few voters are left, whoever leads and however they are lost.
    ['two of three, with the leader', 'Lvv', 'kk.', 'quorum'],
    ['two of three, without the leader', 'Lvv', '.kk', 'quorum'],
    ['two of three are stopped', 'Lvv', 'ss.', 'quorum'],
    ['one is killed and one is cut off', 'Lvv', 'k.c', 'quorum'],
    ['one is out and one in doubt', 'Lvv', '.kS', 'quorum'],
    ['all three', 'Lvv', 'kkk', 'quorum'],
    ['the only voter of two servers', 'Ls', 'k.', 'quorum'],
    ['two of four voters, which is no majority', 'Lvvv', '..kk', 'quorum'],
    ['three of five voters', 'Lvvvv', '..kkk', 'quorum'],
    ['two voters, and standbys that answer cannot vote', 'Lvvss', 'kk...', 'quorum'],
    // Nothing that is seen explains it.
    ['everybody answers', 'Lvv', '...', 'unexplained'],
    ['one voter of three is dead, and does not lead', 'Lvv', '.k.', 'unexplained'],
    ['two of five voters, and the leader answers', 'Lvvvv', '..kk.', 'unexplained'],
    ['standbys are dead', 'Lvvss', '...kk', 'unexplained'],
    ['the leader is slow', 'Lvv', 'l..', 'unexplained'],
    ['somebody doubted the leader', 'Lvv', 'd..', 'unexplained'],
    ['the leader proves itself again', 'Lvv', 'p..', 'unexplained'],
    ['the leader is degraded', 'Lvv', 'b..', 'unexplained'],
    ['nothing is measured yet', 'Lvv', 'uuu', 'unexplained'],
    ['nobody is said to lead, and one is dead', 'vvv', 'k..', 'unexplained'],
    ['nobody is said to hold it', '---', 'kk.', 'unexplained'],
  ])('%s', (_, roles, health, cause) => expect(lossOf(roles, health)).toMatchObject({ kind: 'lost', cause }))

  test('says who holds it, who of them is missing, since when and why', () => {
    expect(lossOf('Lv-v', 's.k.')).toEqual({
      kind: 'lost',
      since: '2026-11-22T15:00:05.000Z',
      cause: 'leader-silent',
      rolesAsOf: '2026-11-22T15:00:00.000Z',
      holders: [
        { name: 'server1', leads: true, missing: { since: '2026-11-22T15:00:03.000Z', symptom: 'stuck' } },
        { name: 'server2', leads: false, missing: null },
        { name: 'server4', leads: false, missing: null },
      ],
    })
  })

  test('a member that never answered is missing since it was judged', () => {
    const health = () => ({ standing: 'ejected', symptom: 'refusing', since: at, answeredAt: null }) as const
    const loss = clusterDatabase({ available: false, goneSince: at, reported: reportedWith('L'), health })
    expect(loss).toMatchObject({ holders: [{ missing: { since: '2026-11-22T15:00:00.000Z' } }] })
  })

  test('who holds it is not known where the cluster never said so', () => {
    const health = () => ({ standing: 'ejected', symptom: null, since: at, answeredAt: null }) as const
    const loss = clusterDatabase({ available: false, goneSince: at, reported: null, health })
    expect(loss).toMatchObject({ kind: 'lost', cause: 'unexplained', holders: [], rolesAsOf: null })
  })

  test.each([
    [null, 'unknown'],
    [true, 'answers'],
  ])('available %s is said as "%s", whoever is missing', (available, kind) => {
    const health = () => ({ standing: 'ejected', symptom: 'stuck', since: at, answeredAt: at }) as const
    expect(clusterDatabase({ available, goneSince: null, reported: reportedWith('Lvv'), health })).toEqual({ kind })
  })
})

test.each<[string, string, boolean]>([
  ['everybody answers', '...', false],
  ['a voter is missing', '.k.', false],
  ['the leader is missing', 'k..', true],
  ['two of three are missing, and the leader answers', '.kk', true],
])('whether it can go on answering: %s', (_, health, isInDoubt) => {
  const of = (member: string) => {
    const [standing, symptom] = conditions[health.charAt(Number(member.slice(6)) - 1)] ?? ['unknown', null]
    return { standing, symptom, since: at, answeredAt: at }
  }
  expect(isDatabaseInDoubt({ reported: reportedWith('Lvv'), health: of })).toBe(isInDoubt)
  expect(isDatabaseInDoubt({ reported: null, health: of })).toBe(false)
})

describe('a member whose loss may be the loss of the database', () => {
  test.each<[string, ReportedList | null, boolean]>([
    ['server1', reportedWith('Lvs-'), true],
    ['server2', reportedWith('Lvs-'), true],
    ['server3', reportedWith('Lvs-'), false],
    ['server4', reportedWith('Lvs-'), false],
    ['server5', reportedWith('Lvs-'), true],
    ['server1', null, true],
  ])('%s (%#)', (member, reported, may) => expect(mayHoldDatabase(member, reported)).toBe(may))
})
