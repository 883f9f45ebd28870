// Writes the parts of the documents that come from the code: the configuration reference, from the schema that checks
// malleus.yaml, the list of decisions, from the heads of the modules they govern, and the metrics, from their definitions.
// `--check` only says whether they are up to date. Runs on the pinned Node, because those are TypeScript.

import { readFileSync, writeFileSync } from 'node:fs'
import { glob } from 'node:fs/promises'
import path from 'node:path'

import { describeMetrics } from '../server/src/app/describe-metrics.ts'
import { describeConfig } from '../server/src/config/describe-config.ts'

const root = path.resolve(import.meta.dirname, '..')

keep('README.md', { configuration: describeConfig(), decisions: await listDecisions() })
keep('docs/metrics.md', { metrics: describeMetrics() })

/** Writes the parts of a document, or says that it is out of date. */
function keep(name, parts) {
  const file = path.join(root, name)
  const before = readFileSync(file, 'utf8')
  const after = Object.entries(parts).reduce((text, [part, content]) => fill(name, text, part, content), before)
  if (after === before) console.log(`${name} is up to date`)
  else if (process.argv.includes('--check')) {
    console.log(`${name} does not say what the code says; \`node_modules/.bin/node tools/readme.mjs\` writes it.`)
    process.exitCode = 1
  } else writeFileSync(file, after)
}

/** Puts text between the two comments that name a part. */
function fill(name, document, part, text) {
  const pattern = new RegExp(`(<!-- ${part}: begin[^>]*-->\n)[^]*?(<!-- ${part}: end -->)`)
  if (!pattern.test(document)) throw new Error(`${name} has no place for "${part}"`)
  return document.replace(pattern, (_, begin, end) => `${begin}\n${text.trim()}\n\n${end}`)
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
