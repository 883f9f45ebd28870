/** What Go writes for a time that was never set. */
export const NEVER = '0001-01-01T00:00:00Z'

/** RFC 3339 with nanoseconds, as Go writes it. */
export function goTime(ms: number): string {
  const whole = Math.floor(ms)
  const nanoseconds = Math.round((ms - whole) * 1_000_000)
  return `${new Date(whole).toISOString().slice(0, -1)}${String(nanoseconds).padStart(6, '0')}Z`
}
