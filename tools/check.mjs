// `npm run check`: everything that can be said about the code without running it.

import path from 'node:path'

import { capture } from './child.mjs'
import { PlainError } from './plain-error.mjs'
import { describe, report } from './tally.mjs'
import { ensureWebBuilt } from './web-build.mjs'

const checks = [
  { name: 'format', hint: 'oxfmt mends it: node_modules/.bin/oxfmt .', command: ['oxfmt/bin/oxfmt', '--check', '.'] },
  { name: 'lint', command: ['oxlint/bin/oxlint'] },
  { name: 'types', command: ['typescript/bin/tsc', '-b'] },
  { name: 'readme', command: ['../tools/readme.mjs', '--check'] },
  { name: 'dead code', command: ['knip/bin/knip.js', '--no-progress'] },
  { name: 'size', command: ['size-limit/bin.js'], before: ensureWebBuilt },
]

/** Runs all checks side by side, and prints each as it ends. @returns the exit code */
export async function check(workshop) {
  const results = await Promise.all(checks.map((each) => runCheck(each, workshop)))
  const passed = results.filter(Boolean).length
  const tally = { passed, failed: checks.length - passed, skipped: 0 }
  report(tally, workshop.env)
  console.log(describe(tally))
  return tally.failed === 0 ? 0 : 1
}

async function runCheck({ name, hint, command: [program, ...args], before }, workshop) {
  const { root, node, env } = workshop
  const begun = performance.now()
  try {
    await before?.(workshop)
  } catch (error) {
    if (!(error instanceof PlainError)) throw error
    console.log(`✗ ${name}\n${error.message}`)
    return false
  }
  const script = path.join(root, 'node_modules', program)
  const { code, output } = await capture(node, [script, ...args], { cwd: root, env })
  const seconds = ((performance.now() - begun) / 1000).toFixed(1)
  if (code === 0) console.log(`✓ ${name} (${seconds} s)`)
  else console.log(`✗ ${name} (${seconds} s)\n${output.trimEnd()}${hint ? `\n${hint}` : ''}`)
  return code === 0
}
