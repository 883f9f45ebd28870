// `npm run dev`: the demo's members and console, started anew when the server's sources change, and the pages from
// Vite, which puts changes into the open page. Arguments are the demo's.

import path from 'node:path'

import { ended, start } from './child.mjs'

const pages = 'http://localhost:5173'
const api = 'http://127.0.0.1:8480'

/** @returns the exit code */
export async function dev(args, { root, node, env }) {
  const watched = ['server/src', 'server/testing', 'shared/src', 'e2e/demo'].flatMap((place) => ['--watch-path', place])
  const children = [
    start(node, [...watched, '--watch-preserve-output', 'e2e/demo/demo.ts', '--public-url', pages, ...args], {
      cwd: root,
      env,
      stdio: 'inherit',
    }),
    start(node, [path.join(root, 'web/node_modules/vite/bin/vite.js')], {
      cwd: path.join(root, 'web'),
      env: { ...env, MALLEUS_API: api },
      // What is typed is meant for the demo.
      stdio: ['ignore', 'inherit', 'inherit'],
    }),
  ]
  // One without the other is of no use: whichever ends first takes the other with it.
  const code = await Promise.race(children.map(ended))
  for (const child of children) child.kill('SIGTERM')
  await Promise.all(children.map(ended))
  return code
}
