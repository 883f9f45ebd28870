// `npm run bench`: every measurement of e2e/bench, or those whose names are given. From the first option on, everything
// is for the measurements: `npm run bench -- memory --minutes 10`.

import { readdir } from 'node:fs/promises'
import path from 'node:path'

import { run } from './child.mjs'
import { PlainError } from './plain-error.mjs'
import { ensureWebBuilt } from './web-build.mjs'

const suffix = '.bench.ts'

/** @returns the exit code: that of the first measurement that missed its bound, after all of them ran */
export async function bench(args, workshop) {
  const { root, node, env } = workshop
  const folder = path.join(root, 'e2e/bench')
  const all = (await readdir(folder))
    .filter((file) => file.endsWith(suffix))
    .map((file) => file.slice(0, -suffix.length))
  const firstOption = args.findIndex((argument) => argument.startsWith('-'))
  const names = firstOption === -1 ? args : args.slice(0, firstOption)
  const options = args.slice(names.length)
  // `audit` stands for all of `audit-…`.
  const meant = (name) => all.filter((one) => one === name || one.startsWith(`${name}-`))
  const unknown = names.filter((name) => meant(name).length === 0)
  if (unknown.length > 0) throw new PlainError(`No measurement is called ${unknown.join(', ')}: ${all.join(', ')}.`)
  await ensureWebBuilt(workshop)
  let worst = 0
  for (const name of names.length > 0 ? names.flatMap(meant) : all) {
    console.log(`\n── ${name} ──`)
    const code = await run(node, [path.join(folder, name + suffix), ...options], { cwd: root, env })
    worst ||= code
  }
  return worst
}
