import { describe, expect, test } from 'vitest'
import type { LostDatabase } from './database-words.ts'
import { describeLoss, missingOf, recoveryOf, rolesAge, whyReadOnly } from './database-words.ts'

const since = '2026-11-22T06:12:00.000Z'
const now = Date.parse(since)

type Symptom = NonNullable<LostDatabase['holders'][number]['missing']>['symptom']

/** `server1*` leads; `server2:stuck` is missing. */
function lostWith(cause: LostDatabase['cause'], holders: string, rolesAsOf: string | null = since): LostDatabase {
  return {
    kind: 'lost',
    since,
    cause,
    rolesAsOf,
    holders: holders
      .split(' ')
      .filter((each) => each !== '')
      .map((each) => {
        const [name = '', symptom] = each.split(':')
        const missing = symptom === undefined ? null : { since, symptom: symptom as Symptom }
        return { name: name.replace('*', ''), leads: name.endsWith('*'), missing }
      }),
  }
}

describe('a lost cluster database', () => {
  test.each<[string, LostDatabase, number, string, string]>([
    [
      'has lost its quorum',
      lostWith('quorum', 'server1 server2*:refusing server3:stuck'),
      8_000,
      'bad: The cluster database has lost its quorum',
      '2 of the 3 servers that hold it do not answer, and it needs 2. It has not answered for 8 s. It goes on by itself when enough of them are back.',
    ],
    [
      'has lost everything',
      lostWith('quorum', 'server1*:unreachable server2:unreachable server3:unreachable'),
      8_000,
      'bad: The cluster database has lost its quorum',
      'None of the 3 servers that hold it answers. It has not answered for 8 s.',
    ],
    [
      'has lost its only voter',
      lostWith('quorum', 'server1*:refusing'),
      8_000,
      'bad: The cluster database has lost its quorum',
      'The only server that holds it does not answer. It has',
    ],
    [
      'changes its leader',
      lostWith('leader-gone', 'server1*:refusing server2 server3'),
      3_000,
      'warning: The cluster database changes its leader',
      'server1 led it and has ended. The other servers choose another, which takes about 5 to 8 s. It has not answered for 3 s.',
    ],
    [
      'takes too long to change its leader',
      lostWith('leader-gone', 'server1*:refusing server2 server3'),
      25_000,
      'bad: The cluster database changes its leader',
      'server1 led it and has ended. The other servers should have chosen another by now. It has not answered for 25 s.',
    ],
    [
      'waits for its leader',
      lostWith('leader-silent', 'server1 server2*:stuck server3'),
      12_000,
      'bad: The cluster database waits for its leader',
      'server2 leads it and is stuck. The other servers wait for it, whichever of them is asked, for half a minute or more. It has not answered for 12 s.',
    ],
    [
      'has lost servers that are not shown',
      lostWith('quorum', '', null),
      8_000,
      'bad: The cluster database has lost its quorum',
      'Too few of the servers that hold it answer.',
    ],
    [
      'waits for a leader that is not shown',
      lostWith('leader-silent', '', null),
      8_000,
      'bad: The cluster database waits for its leader',
      'A server leads it and does not answer.',
    ],
    [
      'is held by servers that all answer',
      lostWith('unexplained', 'server1* server2 server3'),
      12_000,
      'bad: The cluster database does not answer',
      'server1, server2 and server3 hold it and answer this console; they may not reach each other.',
    ],
    [
      'is held by servers that mostly answer',
      lostWith('unexplained', 'server1* server2:stuck server3'),
      12_000,
      'bad: The cluster database does not answer',
      'enough of those that hold it answer this console',
    ],
    [
      'is held by nobody knows whom',
      lostWith('unexplained', '', null),
      12_000,
      'bad: The cluster database does not answer',
      'No server reaches it. Which of them hold it is not known.',
    ],
  ])('%s', (_, database, afterMs, head, text) => {
    const said = describeLoss(database, now + afterMs)
    expect(`${said.tone}: ${said.headline}`).toBe(head)
    expect(said.text).toContain(text)
  })

  test('names who is missing, and as of when it is known who holds it', () => {
    const database = lostWith('quorum', 'server1 server2:stuck server3:refusing')
    expect(missingOf(database).map(({ name }) => name)).toEqual(['server2', 'server3'])
    expect(rolesAge(database)).toMatch(/^Who holds it is what the cluster said at \d\d:\d\d:\d\d\.$/)
    expect(rolesAge(lostWith('unexplained', '', null))).toBe('')
  })

  test('allows no change, and says why', () => {
    expect(whyReadOnly(lostWith('quorum', ''))).toBe(
      'The cluster database does not answer; nothing can be changed until it is back.',
    )
    expect(whyReadOnly({ kind: 'answers' })).toBeUndefined()
    expect(whyReadOnly({ kind: 'unknown' })).toBeUndefined()
    expect(whyReadOnly(undefined)).toBeUndefined()
  })
})

describe('how to get it back', () => {
  const commandsOf = (database: LostDatabase, answering: readonly string[]) => {
    const { steps, lastResort } = recoveryOf(database, answering)
    const lines = (each: typeof steps) => each.flatMap(({ on, commands }) => commands.map((line) => `${on}: ${line}`))
    return { first: lines(steps), last: lines(lastResort) }
  }

  test('first the servers that are missing, each where it is, and nothing is lost', () => {
    const { first } = commandsOf(lostWith('quorum', 'server1* server2:stuck server3:refusing'), ['server1'])
    expect(first).toEqual([
      'server2: sudo systemctl kill --kill-whom=main --signal=SIGCONT incus.service',
      'server2: sudo systemctl kill --kill-whom=main --signal=SIGKILL incus.service && sudo systemctl start incus.service',
      'server3: sudo systemctl start incus.service',
      'server3: sudo journalctl --unit incus.service --lines 50 --no-pager',
    ])
  })

  test('without a quorum, for servers that never come back, a new database made of what one server has', () => {
    const { last } = commandsOf(lostWith('quorum', 'server1:refusing server2* server3:stuck'), ['server2', 'server4'])
    expect(last).toEqual([
      'server2 and server4: sudo systemctl stop incus.service incus.socket',
      'server2: sudo incus admin cluster recover-from-quorum-loss',
      'server2 and server4: sudo systemctl start incus.socket incus.service',
      'server2: sudo incus cluster remove server1 --force',
      'server2: sudo incus cluster remove server3 --force',
    ])
  })

  test('with none left of those that hold it there is no such way', () => {
    const { lastResort } = recoveryOf(lostWith('quorum', 'server1*:unreachable'), ['server2'])
    expect(lastResort).toEqual([
      expect.objectContaining({ text: expect.stringContaining('restored from a backup'), commands: [] }),
    ])
  })

  test.each(['leader-gone', 'leader-silent', 'unexplained'] as const)('%s never asks for a new database', (cause) => {
    expect(recoveryOf(lostWith(cause, 'server1*:stuck server2 server3'), ['server2', 'server3']).lastResort).toEqual([])
  })

  test('where nothing explains it, any server that answers is asked what it says', () => {
    const { first } = commandsOf(lostWith('unexplained', '', null), ['server2', 'server3'])
    expect(first[0]).toBe('server2: sudo incus admin cluster list-database')
    expect(commandsOf(lostWith('unexplained', '', null), []).first).toEqual([])
  })

  test('a server that is cut off is brought back by hand', () => {
    const { steps } = recoveryOf(lostWith('leader-silent', 'server1*:unreachable server2 server3'), ['server2'])
    expect(steps).toEqual([expect.objectContaining({ on: null, commands: [] })])
  })
})
