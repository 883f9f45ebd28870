import type { PathCheck } from '@malleus/shared/api/access-paths.ts'

export function good(id: string, text: string, seen: string | null = null): PathCheck {
  return { id, level: 'good', text, fix: seen === null ? null : { text: seen } }
}

export function info(id: string, text: string, fix: string): PathCheck {
  return { id, level: 'info', text, fix: { text: fix } }
}

export function warning(id: string, text: string, fix: string): PathCheck {
  return { id, level: 'warning', text, fix: { text: fix } }
}

export function bad(id: string, text: string, fix: string): PathCheck {
  return { id, level: 'bad', text, fix: { text: fix } }
}

/** `server1`, `server1 and server2`, `server1, server2 and server3`. */
export function listed(names: readonly string[]): string {
  const last = names.at(-1) ?? ''
  return names.length < 2 ? last : `${names.slice(0, -1).join(', ')} and ${last}`
}

/** `server1 is`, `server1 and server2 are`. */
export function are(names: readonly string[]): string {
  return `${listed(names)} ${names.length === 1 ? 'is' : 'are'}`
}

/** `0.9 s`, `31 s`, `12 ms`. */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`
  return ms < 10_000 ? `${(ms / 1_000).toFixed(1)} s` : `${Math.round(ms / 1_000)} s`
}
