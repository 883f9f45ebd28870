#!/usr/bin/env node
// The command as it is installed: dist/malleus.mjs, beside the server in one file. It is plain JavaScript of long ago and
// imports nothing before it has looked, so that an old Node says what it lacks and not where it stumbled.

const needed = 24
const major = Number(process.versions.node.split('.')[0])

if (major < needed) {
  process.stderr.write(`malleus: This needs Node ${needed} or newer, and this is Node ${process.versions.node}.\n`)
  process.exitCode = 1
} else {
  await import(new URL('console.mjs', import.meta.url).href)
}
