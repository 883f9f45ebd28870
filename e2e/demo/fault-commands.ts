import type { Interface } from 'node:readline'
import { createInterface } from 'node:readline'
import type { World } from '../support/world.ts'
import { isFault } from '../support/world.ts'

/** Reads `break server3 stuck` and `mend server3` from the terminal in which the demo runs. */
export function readFaultCommands(world: World, say: (line: string) => void): Interface {
  const lines = createInterface({ input: process.stdin })
  lines.on('line', (line) => {
    obey(world, line.trim()).then(
      (answer) => answer !== '' && say(answer),
      (error: unknown) => say(error instanceof Error ? error.message : String(error)),
    )
  })
  return lines
}

export async function obey(world: World, line: string): Promise<string> {
  if (line === '') return ''
  const [verb, member, fault] = line.split(/\s+/)
  if (member !== undefined && !world.members.includes(member)) {
    return `There is no server "${member}"; there are ${world.members.join(', ')}.`
  }
  if (verb === 'mend' && member !== undefined) {
    await world.mend(member)
    return `${member} works again.`
  }
  if (
    verb === 'break' &&
    member !== undefined &&
    fault !== undefined &&
    isFault(fault) &&
    world.faults.includes(fault)
  ) {
    await world.break(member, fault)
    return `${member} is now ${fault}.`
  }
  return `Say "break SERVER FAULT" or "mend SERVER". Faults: ${world.faults.join(', ')}.`
}
