// `npm run build`: what is installed on a machine. dist/console.mjs is the whole server in one file, dist/web the pages,
// and dist/malleus.mjs the command that starts it: `node dist/malleus.mjs start` on any Node 24.

import { cp, mkdir, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { run } from './child.mjs'
import { ensureWebBuilt } from './web-build.mjs'

/** @returns the exit code */
export async function build(workshop, dist = path.join(workshop.root, 'dist')) {
  const { root, node, env } = workshop
  await ensureWebBuilt(workshop)
  await rm(dist, { recursive: true, force: true })
  await mkdir(dist)
  const code = await run(
    node,
    [path.join(root, 'node_modules/rolldown/bin/cli.mjs'), '--config', 'rolldown.config.mjs', '--dir', dist],
    {
      cwd: root,
      env,
    },
  )
  if (code !== 0) return code
  await cp(path.join(root, 'server/src/cli/launch.mjs'), path.join(dist, 'malleus.mjs'))
  await cp(path.join(root, 'web/dist'), path.join(dist, 'web'), {
    recursive: true,
    // For tools only: it would tell strangers how the application is cut.
    filter: (source) => path.basename(source) !== '.vite',
  })
  await cp(path.join(root, 'LICENSE'), path.join(dist, 'LICENSE'))
  await writeFile(path.join(dist, 'package.json'), `${JSON.stringify(await manifest(root), undefined, 2)}\n`)
  return 0
}

async function manifest(root) {
  const { name, version, description, license } = await import(path.join(root, 'package.json'), {
    with: { type: 'json' },
  }).then((module) => module.default)
  return {
    name,
    version,
    description,
    license,
    type: 'module',
    bin: { malleus: 'malleus.mjs' },
    engines: { node: '>=24' },
  }
}
