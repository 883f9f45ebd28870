#!/usr/bin/env node
// The command: `malleus <command>` when installed, `npm run malleus -- <command>` from a clone.

import { runMalleus } from './commands.ts'
import { processTerminal } from './terminal.ts'

const terminal = processTerminal(async (configFile) => {
  // Only this command needs the whole server.
  const { start } = await import('../main.ts')
  return start(configFile)
})
process.exitCode = await runMalleus(process.argv.slice(2), terminal)
