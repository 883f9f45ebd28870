import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { writeFrontFile } from '../lab/fronts/front.ts'
import type { Lab } from '../lab/running-lab.ts'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))

/** What `malleus front` prints, as an administrator sees it. */
export async function printedFront(configFile: string, args: readonly string[]): Promise<string> {
  const program = join(root, 'server/src/cli/malleus.ts')
  const command = ['--disable-warning=ExperimentalWarning', program, 'front', ...args, '--config', configFile]
  return (await run(process.execPath, command, { cwd: root })).stdout
}

/** One file of it, as it is to be written: `path` as it is headed, with the server it belongs to where there is one. */
export function fileIn(printed: string, path: string): string {
  const piece = printed.split(/^# ---- /m).find((each) => each.startsWith(`${path}\n`))
  if (piece === undefined) throw new Error(`${path} is not in what was printed`)
  return piece.slice(path.length + 1)
}

/** Writes it for a program on a machine of the lab; gives its path. */
export function writePrinted(lab: Lab, machine: string, name: string, printed: string, path: string): string {
  return writeFrontFile(lab, machine, name, fileIn(printed, path))
}
