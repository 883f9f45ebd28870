import type { Finding } from '@malleus/shared/api/finding.ts'
import type { LastUse, TrustEntry, TrustView, UseCollection } from '@malleus/shared/api/trust.ts'
import { formatDuration, formatFull } from '../../lib/time.ts'

export const typeWords: Readonly<Record<TrustEntry['type'], string>> = {
  client: 'Client',
  metrics: 'Metrics',
  server: 'Server',
  other: 'Other',
}

export const findingShapes = { info: 'info', warning: 'alert', bad: 'cross' } as const satisfies Record<
  Finding['severity'],
  string
>

/** What Incus lets somebody do by this entry, in a few words. */
export function mayDo({ type, restricted, projects }: Pick<TrustEntry, 'type' | 'restricted' | 'projects'>): string {
  if (type === 'server') return 'Acts as a member'
  const what = type === 'metrics' ? 'Reads metrics' : 'Everything'
  if (!restricted) return what
  if (projects.length === 0) return 'Nothing'
  const where = projects.join(', ')
  return type === 'metrics' ? `Reads metrics of ${where}` : `Works in ${where}`
}

/** "from 10.0.0.7, answered by server2" */
export function describeUse({ at, address, member }: LastUse): string {
  return `${formatFull(at)}${address === null ? '' : `, from ${address}`}, answered by ${member}`
}

/** What it says that no use of an entry is known. */
export function unseen(uses: UseCollection | null): string {
  if (uses === null) return 'Who used what is told to those who may read the access history.'
  if (uses.since === null) return uses.off ?? 'The request log of the servers is not followed yet.'
  const gaps = uses.missed.length === 0 ? '' : ` Meanwhile some of it was missed: ${describeMissed(uses)}.`
  return `Not seen since ${formatFull(uses.since)}, when this console began to follow the request log of the servers.${gaps}`
}

/** "server2 for 3 min, server1 now" */
export function describeMissed({ missed }: UseCollection): string {
  const said = missed.slice(0, 3).map(({ member, from, to }) => {
    return to === null
      ? `${member} since ${formatFull(from)}`
      : `${member} for ${formatDuration(Date.parse(to) - Date.parse(from))}`
  })
  return missed.length > 3 ? `${said.join(', ')} and more` : said.join(', ')
}

/** Who decides what an identity may do, in one sentence. */
export function describeAuthorization(authorization: NonNullable<TrustView['authorization']>): string {
  const drivers = authorization.drivers.map((driver) => driverWords[driver])
  const [only] = drivers
  if (drivers.length === 1) return `${only}.`
  return `${drivers.slice(1).join(' and ')} for people; ${only?.toLowerCase()} for clients with a certificate.`
}

const driverWords: Readonly<Record<'tls' | 'openfga' | 'scriptlet', string>> = {
  tls: 'The restriction of each certificate decides, and nothing else',
  openfga: 'OpenFGA decides',
  scriptlet: 'A scriptlet decides',
}

/** How far another identity for the console itself is; undefined when nothing goes on. */
export function describeRotation({ stage, problem }: TrustView['rotation']): string | undefined {
  if (stage === 'settled') return undefined
  const what =
    stage === 'adding'
      ? 'Another identity for this console was made and is not in force yet; the one before is.'
      : 'Another identity for this console is in force; the one before is not removed yet.'
  return `${what} ${problem === null ? 'It goes on now.' : `The console goes on with it by itself: ${problem}`}`
}

/** The same on the command line. Several commands stand one below the other. */
export function removeCommand(cluster: string, entries: readonly Pick<TrustEntry, 'fingerprint'>[]): string {
  return entries.map(({ fingerprint }) => `incus config trust remove ${cluster}:${fingerprint.slice(0, 12)}`).join('\n')
}

export interface NewClient {
  readonly name: string
  readonly restricted: boolean
  readonly projects: readonly string[]
}

export function tokenCommand(cluster: string, client: NewClient): string {
  return `incus config trust add ${cluster}:${quoted(client.name || 'NAME')}${restrictionFlags(client)}`
}

export function certificateCommand(
  cluster: string,
  client: NewClient & { readonly type: 'client' | 'metrics' },
): string {
  const type = client.type === 'metrics' ? ' --type=metrics' : ''
  return `incus config trust add-certificate ${cluster}: client.crt --name ${quoted(client.name || 'NAME')}${type}${restrictionFlags(client)}`
}

/** `incus config trust edit` opens an editor; there is no command that says all of it in one line. */
export function editCommand(cluster: string, { fingerprint }: Pick<TrustEntry, 'fingerprint'>): string {
  return `incus config trust edit ${cluster}:${fingerprint.slice(0, 12)}`
}

function restrictionFlags({ restricted, projects }: NewClient): string {
  if (!restricted) return ''
  return projects.length === 0 ? ' --restricted' : ` --restricted --projects ${quoted(projects.join(','))}`
}

/** For a shell. */
function quoted(text: string): string {
  return /^[A-Za-z0-9_.,:@/-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}
