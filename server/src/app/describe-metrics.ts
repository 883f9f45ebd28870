import { collectDefaultMetrics, Registry } from 'prom-client'
import type { Definition } from '../lib/instruments.ts'
import { metricSections } from './metric-definitions.ts'

/** Every metric as Markdown, from the definitions by which they are counted. */
export function describeMetrics(): string {
  const sections = metricSections.map(({ title, metrics }) => `## ${title}\n\n${table(metrics.map(rowOf))}`)
  return [...sections, `## The process\n\n${table(processRows())}`].join('\n\n')
}

interface Row {
  readonly name: string
  readonly kind: string
  readonly labels: string
  readonly help: string
}

function rowOf({ name, kind, labels, help }: Definition): Row {
  return { name, kind, labels: labels.map((label) => `\`${label}\``).join(', '), help }
}

/** Node's own, as prom-client names them. */
function processRows(): readonly Row[] {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  return registry
    .getMetricsAsArray()
    .map(({ name, help }) => ({ name, kind: '', labels: '', help }))
    .toSorted((a, b) => a.name.localeCompare(b.name))
}

function table(rows: readonly Row[]): string {
  const lines = rows.map(({ name, kind, labels, help }) => `| \`${name}\` | ${kind} | ${labels} | ${cell(help)} |`)
  return `| Metric | Kind | Labels | What it says |\n| --- | --- | --- | --- |\n${lines.join('\n')}`
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|')
}
