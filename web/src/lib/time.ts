/** Instants and durations as people read them: "41 s", "3 min", "19 days", "12 Dec", "06:12:20". */

const second = 1000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour
const year = 365.25 * day

/** A duration in one unit, the one in which it has at most two digits where possible. Negative counts as none. */
export function formatDuration(ms: number): string {
  const value = Math.max(0, ms)
  if (value < 0.95 * second) return `${(Math.floor(value / 100) / 10).toFixed(1)} s`
  if (value < 100 * second) return `${Math.floor(value / second + 0.05)} s`
  if (value < 100 * minute) return `${Math.floor(value / minute)} min`
  if (value < 48 * hour) return `${Math.floor(value / hour)} h`
  if (value < 2 * year) return `${Math.floor(value / day)} days`
  return `${Math.floor(value / year + 0.05)} years`
}

export function formatAgo(at: string, now: number): string {
  const age = now - Date.parse(at)
  return age < second ? 'just now' : `${formatDuration(age)} ago`
}

/** Answer times: "4.1 ms", "212 ms", "1.9 s". */
export function formatMs(ms: number): string {
  if (ms < 10) return `${ms.toFixed(1)} ms`
  if (ms < 1000) return `${Math.round(ms)} ms`
  return `${(ms / 1000).toFixed(1)} s`
}

/** Whole days from now until an instant; negative when it has passed. */
export function daysUntil(at: string, now: number): number {
  return Math.floor((Date.parse(at) - now) / day)
}

/** "in 19 days", "in 5 h", "expired 3 days ago". */
export function formatExpiry(at: string, now: number): string {
  const left = Date.parse(at) - now
  return left < 0 ? `expired ${formatDuration(-left)} ago` : `in ${formatDuration(left)}`
}

// Not Intl: making its first formatter costs a slow machine a tenth of a second, before the first list.
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const

/** "06:12:20" in the person's own zone. */
export function formatClock(at: string): string {
  const date = new Date(at)
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) => String(part).padStart(2, '0')).join(':')
}

/** "12 Dec 2026" */
export function formatDate(at: string): string {
  const date = new Date(at)
  return `${date.getDate()} ${months[date.getMonth()] ?? ''} ${date.getFullYear()}`
}

/** Both, for a tooltip. */
export function formatFull(at: string): string {
  return `${formatDate(at)}, ${formatClock(at)}`
}
