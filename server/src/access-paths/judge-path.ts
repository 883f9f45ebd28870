// What a path is worth, from what was seen of it: pure. `judgePath` composes what each kind of look finds; the worst of
// it is the verdict.

import type { AccessPath, CheckLevel, PathCheck } from '@malleus/shared/api/access-paths.ts'
import type { ClusterFacts, ConfiguredPath, PathEvidence } from './access-path.ts'
import { latestRounds } from './access-path.ts'
import { checkAnswers } from './check-answers.ts'
import { checkCertificate, whereTlsEnds } from './check-certificate.ts'
import { checkRecords } from './check-records.ts'
import { checkSettings } from './check-settings.ts'
import { serversOn } from './path-servers.ts'
import { worksOn } from './works.ts'

export type PathJudgement = Pick<AccessPath, 'verdict' | 'checks' | 'works' | 'tlsEnds' | 'servers'>

const order: readonly CheckLevel[] = ['bad', 'warning', 'unknown', 'info', 'good']

/** `now` is wall clock. */
export function judgePath(
  path: ConfiguredPath,
  evidence: PathEvidence,
  facts: ClusterFacts,
  now: number,
): PathJudgement {
  const tlsEnds = whereTlsEnds(path, evidence)
  const checks = [
    ...checkAnswers(path, evidence, facts),
    ...checkRecords(path, evidence, facts),
    ...checkCertificate(path, evidence, now),
    ...checkSettings(path, evidence, facts, tlsEnds),
    ...notProbed(path, evidence),
  ].toSorted((a, b) => order.indexOf(a.level) - order.indexOf(b.level))
  return {
    verdict: verdictOf(checks, evidence, tlsEnds),
    checks,
    works: worksOn({ path, evidence, facts, tlsEnds }),
    tlsEnds,
    servers: serversOn(path, evidence, facts),
  }
}

function verdictOf(
  checks: readonly PathCheck[],
  evidence: PathEvidence,
  tlsEnds: AccessPath['tlsEnds'],
): AccessPath['verdict'] {
  const [worst] = checks
  if (worst === undefined) return { level: 'unknown', word: 'Measuring', text: 'Not probed yet.' }
  const latest = latestRounds(evidence, 1)
  const isDown = worst.level === 'bad' && latest.every(({ end }) => end.kind === 'failed')
  const text = `${worst.text}.`
  switch (worst.level) {
    case 'bad':
      return { level: 'bad', word: isDown ? 'Down' : 'At risk', text }
    case 'warning':
      return { level: 'warning', word: 'At risk', text }
    case 'info':
      return tlsEnds === 'before'
        ? { level: 'info', word: 'OIDC only', text }
        : { level: 'good', word: 'Good', text: `${checks.find(({ level }) => level === 'good')?.text ?? worst.text}.` }
    case 'unknown':
      return { level: 'unknown', word: 'Not probed', text }
    case 'good':
      return { level: 'good', word: 'Good', text }
  }
}

function notProbed({ kind, name }: ConfiguredPath, { forbidden, records }: PathEvidence): PathCheck[] {
  if (kind === 'dns' || forbidden.length === 0) return []
  const all = records !== null && records.every(({ address }) => forbidden.includes(address))
  return [
    {
      id: 'not-probed',
      level: all ? 'unknown' : 'warning',
      text: `${name} leads where this console does not go`,
      fix: { text: `${forbidden.join(', ')}: allow the network under "probeNetworks" to have it probed.` },
    },
  ]
}
