/** When a session without input locks, and what is said before. */

interface Times {
  readonly idleExpiresAt: string
  readonly expiresAt: string
}

/** Input is reported at most this often; the limit is half an hour. */
const reportEveryMs = 60_000
const warnBeforeMs = 120_000

export function mayReport(reportedAt: number, now: number): boolean {
  return now - reportedAt >= reportEveryMs
}

export function isLockDue({ idleExpiresAt, expiresAt }: Times, now: number): boolean {
  return now >= Math.min(Date.parse(idleExpiresAt), Date.parse(expiresAt))
}

/** The warning in the last two minutes, else nothing. What input cannot put off is said differently. */
export function warningAt({ idleExpiresAt, expiresAt }: Times, now: number): string {
  const idleMs = Date.parse(idleExpiresAt) - now
  const hardMs = Date.parse(expiresAt) - now
  const leftMs = Math.min(idleMs, hardMs)
  if (leftMs > warnBeforeMs || leftMs <= 0) return ''
  const left = leftMs > 60_000 ? 'two minutes' : leftMs > 20_000 ? 'one minute' : 'a few seconds'
  return hardMs <= idleMs
    ? `The session reaches its longest time in ${left}; sign in again to go on.`
    : `Without input this page locks in ${left}. What is on it stays.`
}
