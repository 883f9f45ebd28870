/** What became of one attempt to read. */
export interface Attempted {
  readonly answered: boolean
}

/** How somebody who wants to read something fared. */
export interface WantedRead {
  /** From when it was wanted until it was there; until it was given up, if it never was. */
  readonly ms: number
  readonly answered: boolean
  /** Whether the first attempt brought nothing: what its reader calls an error. */
  readonly failed: boolean
  readonly attempts: number
}

export interface Wanting {
  /** How long one attempt is waited for. */
  readonly patienceMs: number
  /** How long it is wanted. */
  readonly limitMs: number
  /** Between an attempt that failed and the next. */
  readonly againAfterMs: number
  readonly now: () => number
  readonly pause: (ms: number) => Promise<unknown>
}

/** Attempts a read until it succeeds or is not wanted any more, as somebody does who needs it. */
export async function wantRead(
  attempt: (patienceMs: number) => Promise<Attempted>,
  { patienceMs, limitMs, againAfterMs, now, pause }: Wanting,
): Promise<WantedRead> {
  const wantedAt = now()
  for (let attempts = 1; ; attempts++) {
    const leftMs = limitMs - (now() - wantedAt)
    const { answered } = await attempt(Math.max(1, Math.min(patienceMs, leftMs)))
    const ms = now() - wantedAt
    if (answered || ms + againAfterMs >= limitMs) return { ms, answered, failed: !answered || attempts > 1, attempts }
    await pause(againAfterMs)
  }
}
