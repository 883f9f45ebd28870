import type { AccessPath, CheckLevel, FailureCost, PathKind, PathUse } from '@malleus/shared/api/access-paths.ts'
import { formatDuration, formatMs } from '../../lib/time.ts'
import type { Shape, Tone } from '../../ui/StateMark.tsx'

export const kindWords: Readonly<Record<PathKind, string>> = {
  dns: 'DNS round-robin',
  'load-balancer': 'Load balancer',
  'floating-ip': 'Floating IP',
  ecmp: 'ECMP',
  member: 'One server',
  local: 'Local socket',
  console: 'This console, to people',
}

/** What it is, as far as it was recognised. */
export function describeKind({ kind, tlsEnds }: Pick<AccessPath, 'kind' | 'tlsEnds'>): string {
  if (kind !== 'load-balancer' || tlsEnds === 'unknown') return kindWords[kind]
  return tlsEnds === 'member' ? 'Load balancer, TCP passthrough' : 'Load balancer, terminates TLS'
}

export const toneOf: Readonly<Record<CheckLevel, Tone>> = {
  good: 'good',
  info: 'info',
  warning: 'warning',
  bad: 'bad',
  unknown: 'unknown',
}

export const shapeOf: Readonly<Record<CheckLevel, Shape>> = {
  good: 'check',
  info: 'info',
  warning: 'alert',
  bad: 'cross',
  unknown: 'question',
}

export const useWords: Readonly<Record<PathUse, string>> = {
  'client-certificates': 'TLS client certificates',
  oidc: 'OpenID Connect',
  'own-interface': 'Signing in to Incus’s own interface',
  'command-line': 'incus command line',
  websockets: 'Websockets: shells, consoles, events',
  'acme-http': 'ACME over HTTP',
  'large-uploads': 'Large uploads',
}

export const failureWords: Readonly<Record<FailureCost['failure'], string>> = {
  refusing: 'Killed (refuses)',
  stuck: 'Stuck',
  unreachable: 'Cut off',
}

/** The whole in one sentence. */
export function describePaths(paths: readonly AccessPath[]): string {
  const count = `${paths.length} ${paths.length === 1 ? 'way' : 'ways'} in, probed from this console every 5 s.`
  const ill = paths.filter(({ verdict }) => verdict.level === 'bad' || verdict.level === 'warning').length
  if (ill === 0) return count
  return `${count} ${ill} ${ill === 1 ? 'needs' : 'need'} attention.`
}

/** What costs most on the path: what a stuck server costs, measured before estimated. */
export function describeWorst({ firstAnswer, kind }: AccessPath): string {
  const stuck = firstAnswer.costs.find(({ failure }) => failure === 'stuck')
  if (kind === 'local' || kind === 'member' || stuck === undefined || stuck.worstMs === null) return 'no failover'
  const about = stuck.from === 'estimated' ? 'about ' : ''
  return `stuck server: ${about}${describeWait(stuck.worstMs, stuck.unanswered)}`
}

/** `more than` where nobody waited to the end. */
export function describeWait(ms: number | null, unanswered = false): string {
  if (ms === null) return 'as long as it lasts'
  const length = ms < 10_000 ? formatMs(ms) : formatDuration(ms)
  return unanswered ? `more than ${length}` : length
}

/** Which names to give a configuration for: what clients use now. */
export function addressFor({ kind, target }: Pick<AccessPath, 'kind' | 'target'>): string | null {
  if (kind === 'local' || kind === 'console') return null
  return target.replace(/:\d+$/, '').replaceAll(/^\[|\]$/g, '')
}

/** Worst first; of equal ones, as they were configured. */
export function worstFirst(a: AccessPath, b: AccessPath): number {
  return badness.indexOf(a.verdict.level) - badness.indexOf(b.verdict.level)
}

const badness: readonly CheckLevel[] = ['bad', 'warning', 'unknown', 'info', 'good']
