// What each script of package.json does. Every command takes its arguments and the workshop (`root`, the pinned `node`,
// the children's `env`) and returns an exit code.

import { bench } from './bench.mjs'
import { build } from './build.mjs'
import { check } from './check.mjs'
import { run } from './child.mjs'
import { dev } from './dev.mjs'
import { runStories } from './stories.mjs'
import { test } from './test.mjs'
import { ensureWebBuilt } from './web-build.mjs'

/** The server gives up what it never uses and an attacker would: `__proto__` and code made from strings. */
const serverFlags = [
  '--disable-proto=delete',
  '--disallow-code-generation-from-strings',
  '--disable-warning=ExperimentalWarning',
]

export const commands = {
  start: async (args, workshop) => {
    await ensureWebBuilt(workshop)
    return script([...serverFlags, 'server/src/main.ts', ...args], workshop)
  },
  demo: async (args, workshop) => {
    await ensureWebBuilt(workshop)
    return script(['--disable-warning=ExperimentalWarning', 'e2e/demo/demo.ts', ...args], workshop)
  },
  dev,
  malleus: (args, workshop) =>
    script([...serverFlags, 'server/src/cli/malleus.ts', ...args], workshop, { terminal: true }),
  lab: (args, workshop) => script(['e2e/lab/lab.ts', ...args], workshop, { terminal: true }),
  check: (args, workshop) => check(workshop),
  test,
  'test:long': (args, workshop) => test(args, { ...workshop, env: { ...workshop.env, MALLEUS_LONG: '1' } }),
  e2e: runStories,
  screenshots: async (args, workshop) => {
    await ensureWebBuilt(workshop)
    return script(['--disable-warning=ExperimentalWarning', 'e2e/screenshots/screenshots.ts', ...args], workshop)
  },
  bench,
  build: (args, workshop) => build(workshop),
}

function script(args, { root, node, env }, options) {
  return run(node, args, { cwd: root, env, ...options })
}
