// A slow link, where the kernel can make one: many small kernels come without `sch_netem`.

import { CommandFailed, run } from './command.ts'
import type { Lab } from './running-lab.ts'

/** Delays everything a member sends. False, and nothing done, where the kernel has no netem. */
export async function delayLink(lab: Lab, member: string, delayMs: number): Promise<boolean> {
  try {
    await run([...queue(lab, member, 'replace'), 'netem', 'delay', `${delayMs}ms`])
    return true
  } catch (error) {
    if (error instanceof CommandFailed && /unknown|No such file/i.test(error.stderr)) return false
    throw error
  }
}

/** Takes the delay away. Throws where there is none. */
export async function restoreLink(lab: Lab, member: string): Promise<void> {
  await run(queue(lab, member, 'delete'))
}

function queue(lab: Lab, member: string, change: 'replace' | 'delete'): [string, ...string[]] {
  return [...lab.enter(member), 'tc', 'qdisc', change, 'dev', 'eth0', 'root']
}
