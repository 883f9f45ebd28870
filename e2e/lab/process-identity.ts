// A pid alone may by now be somebody else's process. Together with its start time it is one process and no other.

import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { until } from './deadline.ts'

export const ProcessIdentity = z.object({
  pid: z.number().int().positive(),
  /** Clock ticks after boot: field 22 of /proc/PID/stat, see proc(5). */
  startedAt: z.number().int().nonnegative(),
})
export type ProcessIdentity = z.infer<typeof ProcessIdentity>

export type ProcessState = 'running' | 'stopped' | 'gone'

/** The process that has this pid now. */
export function identify(pid: number): ProcessIdentity | undefined {
  const stat = readStat(pid)
  return stat === undefined || hasEnded(stat) ? undefined : { pid, startedAt: stat.startedAt }
}

/** What this very process is doing; a zombie, or another process with the same pid, is `gone`. */
export function stateOf(process: ProcessIdentity): ProcessState {
  const stat = readStat(process.pid)
  if (stat === undefined || stat.startedAt !== process.startedAt || hasEnded(stat)) return 'gone'
  return stat.state === 'T' || stat.state === 't' ? 'stopped' : 'running'
}

/** Sends a signal to this very process. False when it is gone. */
export function signal(target: ProcessIdentity, name: NodeJS.Signals): boolean {
  if (stateOf(target) === 'gone') return false
  try {
    process.kill(target.pid, name)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false
    throw error
  }
}

/** Kills this very process and waits until it is gone. */
export async function end(process: ProcessIdentity): Promise<void> {
  signal(process, 'SIGKILL')
  await until(`the end of process ${process.pid}`, 10_000, () => (stateOf(process) === 'gone' ? true : undefined), 10)
}

interface Stat {
  readonly state: string
  readonly threads: number
  readonly startedAt: number
}

/** A zombie whose other threads still run has not closed its sockets yet. */
function hasEnded(stat: Stat): boolean {
  return stat.state === 'X' || (stat.state === 'Z' && stat.threads <= 1)
}

function readStat(pid: number): Stat | undefined {
  let text: string
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1')
  } catch {
    return undefined
  }
  return parseStat(text)
}

/** The second field is the program's name in parentheses, which may itself hold spaces and parentheses. */
export function parseStat(text: string): Stat {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return { state: fields[0] ?? 'X', threads: Number(fields[17]), startedAt: Number(fields[19]) }
}
