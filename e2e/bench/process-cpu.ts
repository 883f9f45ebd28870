import { readFileSync } from 'node:fs'

/** Seconds of processor time that a process and its threads have used: fields 14 and 15 of /proc/PID/stat, see proc(5). Linux only. */
export function processCpuSeconds(pid: number): number {
  return parseCpuSeconds(readFileSync(`/proc/${pid}/stat`, 'latin1'))
}

/** Pure. The second field is the program's name in parentheses, which may itself hold spaces and parentheses. */
export function parseCpuSeconds(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  // Ticks of a hundredth of a second on every Linux that Node runs on.
  return (Number(fields[11]) + Number(fields[12])) / 100
}
