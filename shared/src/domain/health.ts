import { z } from 'zod'

/**
 * What this console believes of a member, best first. The order is the order of attempts: a request goes to the
 * first that can take it, and `untrusted` is never sent anything.
 *
 * - `healthy`: answers in time.
 * - `probation`: answered again after it had been ejected; takes a growing share until it has proven itself.
 * - `unknown`: nothing has been measured yet.
 * - `suspect`: one unanswered question, or much slower than the rest; asked after the healthy ones.
 * - `degraded`: answers, but its way to the cluster database does not.
 * - `ejected`: did not answer twice in a row; asked only when nobody else is left.
 * - `untrusted`: presents a certificate that is not the cluster's.
 */
export const standings = ['healthy', 'probation', 'unknown', 'suspect', 'degraded', 'ejected', 'untrusted'] as const
export const Standing = z.enum(standings)
export type Standing = z.infer<typeof Standing>

/**
 * Why a member is not healthy, as a person would say it.
 *
 * - `slow`: answers much later than the others.
 * - `stuck`: accepts connections, or has accepted ours, and does not answer.
 * - `refusing`: the machine is there and refuses connections: the daemon is not running.
 * - `unreachable`: no answer to a connection attempt: the machine or the network is gone.
 * - `wrong-certificate`: what answers is not known to be a server of this cluster.
 * - `old-certificate`: presents another certificate than the cluster has, one that this console still accepts.
 * - `starting`: TLS answers, the API says that it is starting, or does not answer yet after it was away.
 * - `database`: the API answers, the cluster database behind it does not.
 * - `unauthorized`: refuses the console's own identity, or cannot check people's tokens.
 */
export const symptoms = [
  'slow',
  'stuck',
  'refusing',
  'unreachable',
  'wrong-certificate',
  'old-certificate',
  'starting',
  'database',
  'unauthorized',
] as const
export const Symptom = z.enum(symptoms)
export type Symptom = z.infer<typeof Symptom>

/** How far a probe came. A failure names the phase it failed in. */
export const probePhases = ['resolve', 'connect', 'tls', 'certificate', 'answer'] as const
export const ProbePhase = z.enum(probePhases)
export type ProbePhase = z.infer<typeof ProbePhase>

export function isAnswering(standing: Standing): boolean {
  return standing === 'healthy' || standing === 'probation' || standing === 'degraded'
}

/** The worst of several standings; `unknown` when there are none. */
export function worstStanding(all: readonly Standing[]): Standing {
  return all.reduce<Standing>((worst, next) => (badness(next) > badness(worst) ? next : worst), all[0] ?? 'unknown')
}

export function badness(standing: Standing): number {
  return standings.indexOf(standing)
}
