// `npm run e2e`: the operators' stories, in a browser, on a real cluster. Arguments are Playwright's.

import path from 'node:path'

import { chromiumPath, whyNoChromium } from './browser.mjs'
import { run } from './child.mjs'
import { whyNoIncus } from './incus.mjs'
import { PlainError } from './plain-error.mjs'
import { ensureWebBuilt } from './web-build.mjs'

/** The reason why no story can be told here, as a sentence; nothing when they can. */
export async function whyNoStories(workshop) {
  return whyNoIncus() ?? (await whyNoChromium(workshop))
}

/** @returns the exit code */
export async function runStories(args, workshop) {
  const reason = await whyNoStories(workshop)
  if (reason) throw new PlainError(`The stories cannot run here: ${reason}.`)
  await ensureWebBuilt(workshop)
  const { root, node, env } = workshop
  const playwright = path.join(root, 'e2e/node_modules/@playwright/test/cli.js')
  return run(node, [playwright, 'test', '--config', 'e2e/playwright.config.ts', ...args], {
    cwd: root,
    env: { ...env, MALLEUS_CHROMIUM: chromiumPath(env) },
  })
}
