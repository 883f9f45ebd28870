// The dashboard and the alerts speak of metrics by name, and nothing would tell when one of them is called otherwise.

import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { collectDefaultMetrics, Registry } from 'prom-client'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { describeMetrics } from './describe-metrics.ts'
import { metricSections } from './metric-definitions.ts'

const fileOf = (name: string) => fileURLToPath(new URL(`../../../${name}`, import.meta.url))
const dashboardFile = fileOf('monitoring/grafana-dashboard.json')
const alertsFile = fileOf('monitoring/prometheus-alerts.yml')

const Query = z.object({ expr: z.string() })
const Panel = z.object({
  id: z.int(),
  title: z.string(),
  type: z.string(),
  description: z.string().optional(),
  gridPos: z.object({ x: z.int(), y: z.int(), w: z.int(), h: z.int() }),
  targets: z.array(Query).default([]),
})
const Dashboard = z.object({
  panels: z.array(Panel),
  templating: z.object({ list: z.array(z.object({ name: z.string(), definition: z.string().optional() })) }),
  annotations: z.object({ list: z.array(Query) }),
})
const dashboard = Dashboard.parse(JSON.parse(readFileSync(dashboardFile, 'utf8')))
const alerts = readFileSync(alertsFile, 'utf8')

const own = new Map(metricSections.flatMap(({ metrics }) => metrics.map((metric) => [metric.name, metric] as const)))
/** Beside the console's own: Node's, and what Prometheus says of whom it asks. */
const others = new Set(['up', ...processMetrics()])

/** Labels that Prometheus adds to what it reads. */
const added = ['job', 'instance', 'le']

describe('the dashboard', () => {
  const queries = [
    ...dashboard.panels.flatMap(({ title, targets }) => targets.map(({ expr }) => ({ title, expr }))),
    ...dashboard.annotations.list.map(({ expr }) => ({ title: 'annotations', expr })),
    ...dashboard.templating.list.map(({ name, definition = '' }) => ({
      title: `the choice of ${name}`,
      expr: definition,
    })),
  ]

  it.each(queries)('$title asks for what there is: $expr', ({ expr }) => {
    expect(strangeIn(expr)).toEqual([])
  })

  it('shows every metric of the console', () => {
    const shown = new Set(queries.flatMap(({ expr }) => usesIn(expr).map(({ metric }) => metric)))
    expect([...own.keys()].filter((name) => !shown.has(name))).toEqual([])
  })

  it('says of every panel what it shows, once, and none covers another', () => {
    const panels = dashboard.panels.filter(({ type }) => type !== 'row')
    expect(panels.filter(({ description = '' }) => !/^[A-Z].*\.$/.test(description))).toEqual([])
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length)
    const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, at) => `${x + (at % w)} ${y + Math.floor(at / w)}`),
    )
    expect(new Set(cells).size).toBe(cells.length)
    expect(Math.max(...dashboard.panels.map(({ gridPos: { x, w } }) => x + w))).toBe(24)
  })
})

describe('the alerts', () => {
  const rules = [...alerts.matchAll(/- alert: (\w+)\n +expr: (?:>-\n)?([^]*?)\n +(?:for|labels):/g)]

  it.each(rules.map(([, name = '', expr = '']) => ({ name, expr })))('$name asks for what there is', ({ expr }) => {
    expect(usesIn(expr).length).toBeGreaterThan(0)
    expect(strangeIn(expr)).toEqual([])
  })

  it('are all read here', () => {
    expect(rules).toHaveLength(alerts.match(/- alert:/g)?.length ?? 0)
    expect(rules.length).toBeGreaterThan(15)
  })

  it('go off when they should, and else not, as Prometheus itself sees them', async ({ skip }) => {
    const promtool = ['/usr/bin/promtool', '/usr/local/bin/promtool'].find((file) => existsSync(file))
    if (promtool === undefined) return skip('promtool (Debian package prometheus) is not installed')
    const run = promisify(execFile)
    const { stdout } = await run(promtool, ['test', 'rules', fileOf('monitoring/prometheus-alerts.test.yml')])
    expect(stdout).toContain('SUCCESS')
    const checked = await run(promtool, ['check', 'rules', alertsFile])
    expect(checked.stdout).toContain(`${rules.length} rules found`)
  })
})

describe('the document', () => {
  it('has every metric, with its labels', () => {
    const text = readFileSync(fileOf('docs/metrics.md'), 'utf8')
    for (const { name, labels, help } of own.values()) {
      const line = text.split('\n').find((each) => each.startsWith(`| \`${name}\` |`))
      expect(line, name).toContain(help.replaceAll('|', '\\|'))
      for (const label of labels) expect(line).toContain(`\`${label}\``)
    }
    expect(text).toContain(describeMetrics())
  })
})

interface Use {
  readonly metric: string
  readonly labels: readonly string[]
}

/** Metrics that a query names, without the endings of a histogram's series, and the labels it asks of each. */
function usesIn(expr: string): Use[] {
  const named = [...expr.matchAll(/\b((?:malleus|nodejs|process)_\w+|up\b)\s*(?:\{([^}]*)\})?/g)].map(
    ([, series = '', selector = '']) => ({ metric: metricOf(series), labels: labelsOf(selector) }),
  )
  const byPattern = [...expr.matchAll(/\{__name__=~"([^"]*)"/g)].flatMap(([, pattern = '']) => {
    const fits = new RegExp(`^(?:${pattern})$`)
    return [...own.keys()].filter((name) => fits.test(name)).map((metric) => ({ metric, labels: [] }))
  })
  return [...named.filter(({ metric }) => !metric.endsWith('_')), ...byPattern]
}

/** What a query asks for and nobody counts. */
function strangeIn(expr: string): string[] {
  const uses = usesIn(expr)
  const unknown = uses.filter(({ metric }) => !own.has(metric) && !others.has(metric)).map(({ metric }) => metric)
  const known = uses.flatMap(({ metric }) => own.get(metric)?.labels ?? [])
  const asked = uses.flatMap(({ metric, labels }) => {
    const has: readonly string[] = [...(own.get(metric)?.labels ?? []), ...added]
    return labels.filter((label) => !has.includes(label)).map((label) => `${metric}{${label}}`)
  })
  const grouped = [...expr.matchAll(/\b(?:by|on)\s*\(([^)]*)\)/g)]
    .flatMap(([, list = '']) => list.split(',').map((label) => label.trim()))
    .filter((label) => ![...known, ...added].includes(label))
  return [...unknown, ...asked, ...grouped]
}

function metricOf(series: string): string {
  const base = series.replace(/_(bucket|sum|count)$/, '')
  return own.get(base)?.kind === 'histogram' ? base : series
}

function labelsOf(selector: string): string[] {
  return [...selector.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, label = '']) => label)
}

function processMetrics(): string[] {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  return registry.getMetricsAsArray().map(({ name }) => name)
}
