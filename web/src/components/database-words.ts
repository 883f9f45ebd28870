import type { ClusterDatabase, DatabaseHolder } from '@malleus/shared/api/clusters.ts'
import type { Symptom } from '@malleus/shared/domain/health.ts'
import { formatClock, formatDuration } from '../lib/time.ts'
import type { Tone } from '../ui/StateMark.tsx'
import { listNames } from './cluster-words.ts'

/** What a lost cluster database means, in words: what is lost, what works, who is missing, and how to get it back. */

export type LostDatabase = Extract<ClusterDatabase, { kind: 'lost' }>
export type MissingHolder = DatabaseHolder & { readonly missing: NonNullable<DatabaseHolder['missing']> }

export interface LossWords {
  readonly tone: Tone
  readonly headline: string
  /** Why, and whether it passes by itself. Counts. */
  readonly text: string
}

/** The others have chosen a new leader by then, as often as it was measured (4.6 to 7.9 s). */
const takeoverMs = 20_000

export function describeLoss(database: LostDatabase, now: number): LossWords {
  const { cause, holders, since } = database
  const missing = missingOf(database)
  const leader = missing.find(({ leads }) => leads)
  const name = leader?.name ?? 'A server'
  const lastedMs = now - Date.parse(since)
  const forSoLong = `It has not answered for ${formatDuration(lastedMs)}.`
  switch (cause) {
    case 'quorum':
      return {
        tone: 'bad',
        headline: 'The cluster database has lost its quorum',
        text: `${quorumSentence(missing.length, holders.length)} ${forSoLong} It goes on by itself when enough of them are back.`,
      }
    case 'leader-gone':
      return {
        tone: lastedMs < takeoverMs ? 'warning' : 'bad',
        headline: 'The cluster database changes its leader',
        text:
          lastedMs < takeoverMs
            ? `${name} led it and has ended. The other servers choose another, which takes about 5 to 8 s. ${forSoLong}`
            : `${name} led it and has ended. The other servers should have chosen another by now. ${forSoLong}`,
      }
    case 'leader-silent':
      return {
        tone: 'bad',
        headline: 'The cluster database waits for its leader',
        text: `${name} leads it and ${does(leader?.missing.symptom ?? null)}. The other servers wait for it, whichever of them is asked, for half a minute or more. ${forSoLong}`,
      }
    case 'unexplained':
      return {
        tone: 'bad',
        headline: 'The cluster database does not answer',
        text: `${unexplained(database)} ${forSoLong}`,
      }
  }
}

function unexplained({ holders }: LostDatabase): string {
  if (holders.length === 0) return 'No server reaches it. Which of them hold it is not known.'
  if (holders.every(({ missing }) => missing === null)) {
    return `${listNames(names(holders), 5)} hold it and answer this console; they may not reach each other.`
  }
  return 'No server reaches it, and enough of those that hold it answer this console; they may not reach each other.'
}

/** No servers are told to who does not see them. */
function quorumSentence(missing: number, all: number): string {
  if (all === 0) return 'Too few of the servers that hold it answer.'
  if (all === 1) return 'The only server that holds it does not answer.'
  if (missing === all) return `None of the ${all} servers that hold it answers.`
  const needed = Math.floor(all / 2) + 1
  return `${missing} of the ${all} servers that hold it ${missing === 1 ? 'does' : 'do'} not answer, and it needs ${needed}.`
}

/** As of when the roles are known, where that matters. */
export function rolesAge({ rolesAsOf }: LostDatabase): string {
  return rolesAsOf === null ? '' : `Who holds it is what the cluster said at ${formatClock(rolesAsOf)}.`
}

export const whatIsLost =
  'Changes of every kind. What the cluster says of servers, instances and operations is what was last known.'
export const whatWorks =
  'Reading: health, answer times and certificates are measured as ever, and the access history goes on. Instances go on running.'

/** The same in short, where there is no room for all of it. */
export const whatReadOnlyMeans =
  'Nothing can be changed until it is back, and what the cluster says is what was last known.'

/** Why nothing can be changed now, for a button; nothing while it can. */
export function whyReadOnly(database: ClusterDatabase | undefined): string | undefined {
  return database?.kind === 'lost'
    ? 'The cluster database does not answer; nothing can be changed until it is back.'
    : undefined
}

export function missingOf({ holders }: LostDatabase): readonly MissingHolder[] {
  return holders.filter((holder): holder is MissingHolder => holder.missing !== null)
}

/** "refuses connections", "is stuck" */
export function does(symptom: Symptom | null): string {
  switch (symptom) {
    case 'stuck':
      return 'is stuck'
    case 'refusing':
      return 'refuses connections'
    case 'unreachable':
      return 'is unreachable'
    case 'starting':
      return 'is starting'
    case 'wrong-certificate':
      return 'presents a wrong certificate'
    case 'slow':
    case 'old-certificate':
    case 'database':
    case 'unauthorized':
    case null:
      return 'does not answer'
  }
}

/** One thing to do, on one kind of server, with the commands for it. */
export interface RecoveryStep {
  readonly text: string
  /** Where the commands are run; null where there are none. */
  readonly on: string | null
  readonly commands: readonly string[]
}

export interface Recovery {
  /** What brings it back with nothing lost. */
  readonly steps: readonly RecoveryStep[]
  /** Only for servers that never come back; empty where that would not help. */
  readonly lastResort: readonly RecoveryStep[]
}

/**
 * How to get it back, as Incus documents it (doc/howto/cluster_recover.md): the servers themselves first, since nothing
 * is lost with them; making a new database of what one server has only when the others are gone for good.
 *
 * @param answering names of the servers that answer
 */
export function recoveryOf(database: LostDatabase, answering: readonly string[]): Recovery {
  const missing = missingOf(database)
  const steps = missing.flatMap(({ name, missing: { symptom } }) => bringBack(name, symptom))
  if (database.cause === 'quorum') return { steps, lastResort: lastResort(database, answering) }
  if (database.cause === 'unexplained') return { steps: [...steps, ...lookInto(answering)], lastResort: [] }
  return { steps, lastResort: [] }
}

function bringBack(name: string, symptom: Symptom | null): readonly RecoveryStep[] {
  switch (symptom) {
    case 'stuck':
      return [
        {
          text: `Let ${name} go on, if its daemon was stopped; else end the daemon and start it again. Its instances go on running.`,
          on: name,
          commands: [
            'sudo systemctl kill --kill-whom=main --signal=SIGCONT incus.service',
            // The daemon alone: without it, systemd would end everything that the daemon has started, too.
            'sudo systemctl kill --kill-whom=main --signal=SIGKILL incus.service && sudo systemctl start incus.service',
          ],
        },
      ]
    case 'unreachable':
      return [
        {
          text: `Bring ${name} back to the network or switch it on; or make sure that it is off, so that nobody waits for it.`,
          on: null,
          commands: [],
        },
      ]
    case 'starting':
      return [{ text: `${name} is starting; see what it waits for.`, on: name, commands: [journal] }]
    case 'refusing':
      return [{ text: `Start Incus on ${name}.`, on: name, commands: ['sudo systemctl start incus.service', journal] }]
    case 'wrong-certificate':
    case 'old-certificate':
    case 'slow':
    case 'database':
    case 'unauthorized':
    case null:
      return [{ text: `See why ${name} does not answer.`, on: name, commands: [journal] }]
  }
}

function lookInto(answering: readonly string[]): readonly RecoveryStep[] {
  const [first] = answering
  if (first === undefined) return []
  return [
    {
      text: 'See which servers hold the database, and what Incus says of it.',
      on: first,
      commands: ['sudo incus admin cluster list-database', journal],
    },
  ]
}

/**
 * `recover-from-quorum-loss` needs a server that has the database, and every daemon stopped. Done so with 6.0.4, two of
 * three servers gone: the third led at once, its container had run on, and the lost servers could be removed.
 */
function lastResort(database: LostDatabase, answering: readonly string[]): readonly RecoveryStep[] {
  const missing = names(missingOf(database))
  const survivor = database.holders.find(({ missing }) => missing === null)?.name
  if (survivor === undefined) {
    return [
      {
        text: 'No server that holds the database is left; it can only be restored from a backup.',
        on: null,
        commands: [],
      },
    ]
  }
  const others = answering.filter((name) => name !== survivor)
  const all = listNames([survivor, ...others], 6)
  return [
    {
      text: 'Stop Incus on every server that is left. Instances go on running.',
      on: all,
      commands: ['sudo systemctl stop incus.service incus.socket'],
    },
    {
      text: `Make ${survivor} the leader of a new cluster database, made of what it has. This cannot be undone.`,
      on: survivor,
      commands: ['sudo incus admin cluster recover-from-quorum-loss'],
    },
    {
      text: others.length === 0 ? 'Start Incus again.' : `Start Incus again, on ${survivor} first.`,
      on: all,
      commands: ['sudo systemctl start incus.socket incus.service'],
    },
    {
      text: `Remove the lost servers, with what the cluster knows of their instances. They must not come back as they were.`,
      on: survivor,
      commands: missing.map((name) => `sudo incus cluster remove ${name} --force`),
    },
  ]
}

const journal = 'sudo journalctl --unit incus.service --lines 50 --no-pager'

function names(holders: readonly Pick<DatabaseHolder, 'name'>[]): readonly string[] {
  return holders.map(({ name }) => name)
}
