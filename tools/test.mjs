// `npm test`: all that CI runs, ending in one line. With arguments (`npm test -- server/src/health`) only the unit tests
// they name.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { check } from './check.mjs'
import { run } from './child.mjs'
import { whyNoIncus } from './incus.mjs'
import { runStories, whyNoStories } from './stories.mjs'
import { add, describe, read, tallyVariable } from './tally.mjs'

const unitProjects = ['tools', 'shared', 'server', 'web', 'e2e']
const conformance = 'conformance'

/**
 * The parts of a run, in order: the quickest answer first. `whyNot` says in a sentence why a part cannot run on this
 * machine; on a CI machine that is a failure, elsewhere it is a skipped part. The conformance of the stand-in runs among
 * the other tests, since it waits for a real cluster most of its time.
 */
function partsHere() {
  const noIncus = whyNoIncus()
  const projects = noIncus ? unitProjects : [...unitProjects, conformance]
  return [
    { name: 'check', run: (workshop) => check(workshop) },
    { name: projects.join(', '), run: (workshop) => vitest(projects.flatMap(project), workshop) },
    ...(noIncus ? [{ name: conformance, whyNot: () => noIncus }] : []),
    { name: 'stories', whyNot: whyNoStories, run: (workshop) => runStories([], workshop) },
  ]
}

/** @returns the exit code */
export async function test(args, workshop) {
  if (args.length > 0) return vitest([...unitProjects.flatMap(project), ...args], workshop)
  const folder = await mkdtemp(path.join(tmpdir(), 'malleus-test-'))
  try {
    const tallies = []
    for (const part of partsHere()) tallies.push(await runPart(part, path.join(folder, 'tally'), workshop))
    const sum = add(tallies)
    console.log(describe(sum))
    return sum.failed === 0 ? 0 : 1
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function runPart(part, file, workshop) {
  console.log(`\n── ${part.name} ──`)
  const reason = await part.whyNot?.(workshop)
  if (reason) return said(part, notRun(reason, workshop.env))
  await rm(file, { force: true })
  const code = await part.run({ ...workshop, env: { ...workshop.env, [tallyVariable]: file } })
  return said(part, judge(code, read(file)))
}

/** A part that cannot run here. */
export function notRun(reason, env) {
  return env.CI === 'true' ? { passed: 0, failed: 1, skipped: 0, reason } : { passed: 0, failed: 0, skipped: 1, reason }
}

/** What a part that ran has to show: one that ends badly without a failed test, or says nothing, is a failure itself. */
export function judge(code, tallies) {
  const sum = add(tallies)
  if (tallies.length > 0 && (code === 0) === (sum.failed === 0)) return sum
  return { ...sum, failed: sum.failed + 1, reason: `ended with status ${code} after ${describe(sum)}` }
}

/** Says what the line at the end cannot: why a part counts as failed or skipped itself. */
function said({ name }, tally) {
  if (tally.reason) console.log(`${tally.failed > 0 ? 'failed' : 'skipped'}: ${name}: ${tally.reason}`)
  return tally
}

function vitest(args, { root, node, env }) {
  return run(node, [path.join(root, 'node_modules/vitest/vitest.mjs'), 'run', ...args], {
    cwd: root,
    env,
  })
}

function project(name) {
  return ['--project', name]
}
