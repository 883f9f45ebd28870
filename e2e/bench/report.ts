// What a measurement hands in: tables with what they were taken under, and the bounds it holds them against.

import { mkdir, writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { markdownTable } from './markdown.ts'

export interface Report {
  readonly title: string
  /** How it was measured, a sentence each. */
  readonly conditions: readonly string[]
  readonly tables: readonly Table[]
  readonly bounds: readonly Bound[]
  /** Everything that was measured, for programs; goes into the JSON. */
  readonly data: unknown
}

export interface Table {
  readonly head: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

/** A promise with what came of it; `undecided` when the run was too short or too unsteady to tell. */
export interface Bound {
  readonly claim: string
  readonly measured: string
  readonly verdict: 'kept' | 'missed' | 'undecided'
}

const results = fileURLToPath(new URL('results/', import.meta.url))

/** Writes the report as JSON and as Markdown, and gives the Markdown. */
export async function writeReport(name: string, report: Report, at: Date): Promise<string> {
  const text = renderReport(report, at)
  await mkdir(results, { recursive: true })
  await writeFile(`${results}${name}.md`, text)
  await writeFile(`${results}${name}.json`, `${JSON.stringify({ at, machine: machine(), ...report }, undefined, 1)}\n`)
  return text
}

/** Pure, but for the machine it speaks of. */
export function renderReport({ title, conditions, tables, bounds }: Report, at: Date): string {
  return [
    `# ${title}`,
    `${at.toISOString().slice(0, 16).replace('T', ' ')} UTC, ${machine()}.`,
    conditions.map((sentence) => `- ${sentence}`).join('\n'),
    ...tables.map(({ head, rows }) => markdownTable(head, rows)),
    markdownTable(
      ['bound', 'measured', 'verdict'],
      bounds.map(({ claim, measured, verdict }) => [claim, measured, verdict]),
    ),
    '',
  ].join('\n\n')
}

function machine(): string {
  return `${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown processor'}, Node ${process.versions.node}`
}
