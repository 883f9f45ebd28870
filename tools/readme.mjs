// Writes the parts of the README that come from the code: the configuration reference, from the schema that checks
// malleus.yaml, and the list of decisions, from the heads of the modules they govern. `--check` only says whether it is
// up to date. Runs on the pinned Node, because the schema is TypeScript.

import { readFileSync, writeFileSync } from 'node:fs'
import { glob } from 'node:fs/promises'
import path from 'node:path'

import { describeConfig } from '../server/src/config/describe-config.ts'

const root = path.resolve(import.meta.dirname, '..')
const file = path.join(root, 'README.md')

const before = readFileSync(file, 'utf8')
const after = fill(fill(before, 'configuration', describeConfig()), 'decisions', await listDecisions())
if (after === before) console.log('README.md is up to date')
else if (process.argv.includes('--check')) {
  console.log('README.md does not say what the code says; `node_modules/.bin/node tools/readme.mjs` writes it.')
  process.exitCode = 1
} else writeFileSync(file, after)

/** Puts text between the two comments that name a part. */
function fill(readme, part, text) {
  const pattern = new RegExp(`(<!-- ${part}: begin[^>]*-->\n)[^]*?(<!-- ${part}: end -->)`)
  if (!pattern.test(readme)) throw new Error(`README.md has no place for "${part}"`)
  return readme.replace(pattern, (_, begin, end) => `${begin}\n${text.trim()}\n\n${end}`)
}

async function listDecisions() {
  const sources = ['server/**/*.ts', 'shared/**/*.ts', 'web/src/**/*.{ts,tsx}', 'e2e/**/*.ts', 'tools/**/*.mjs']
  const rows = []
  for await (const name of glob(sources, { cwd: root, exclude: (entry) => /node_modules|\.types|dist/.test(entry) })) {
    for (const decision of decisionsIn(readFileSync(path.join(root, name), 'utf8'))) rows.push({ name, ...decision })
  }
  rows.sort((a, b) => a.date.localeCompare(b.date) || a.name.localeCompare(b.name))
  return rows.map(({ name, date, sentence }) => `- ${date} [${name}](${name}): ${sentence}`).join('\n')
}

/** The first sentence of each paragraph of comments that begins with `Decision, <date>:`. */
function decisionsIn(source) {
  const prose = source.replaceAll(/^(?:\/\/| \*) ?/gm, '')
  return [...prose.matchAll(/^Decision, (\d{4}-\d\d-\d\d): ([^]*?[.])(?=\s)/gm)].map(([, date, sentence]) => ({
    date,
    sentence: sentence.replaceAll(/\s+/g, ' '),
  }))
}
