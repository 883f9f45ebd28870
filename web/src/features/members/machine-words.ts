import { formatDuration } from '../../lib/time.ts'

/** Incus warns when clocks are more than five seconds apart; beyond the offline threshold servers seem offline to each other. */
const concerningMs = 5000

/** How far a server's clock is from this console's. The Date header has whole seconds, so less is not told apart. */
export function describeSkew(ms: number): { text: string; concerning: boolean } {
  const apart = Math.abs(ms)
  if (apart < 1500) return { text: 'same as this console', concerning: false }
  const text = `${formatDuration(apart)} ${ms > 0 ? 'ahead of' : 'behind'} this console`
  return { text, concerning: apart > concerningMs }
}
