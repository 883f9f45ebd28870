import { z } from 'zod'
import { Settings } from './schema.ts'

/** The reference of malleus.yaml for the README, as Markdown, from the schema that checks the file. */
export function describeConfig(): string {
  const sections = Object.entries(Settings.shape).map(([key, schema]) => ({ key, rows: rowsOf(key, schema) }))
  const single = sections.filter(({ rows }) => rows.length === 1)
  const structured = sections.filter(({ rows }) => rows.length > 1)
  return [
    introduction,
    table(single.flatMap(({ rows }) => rows)),
    ...structured.map(({ key, rows }) => `### ${key}\n\n${rows[0]?.description ?? ''}\n\n${table(rows.slice(1))}`),
    '',
  ].join('\n\n')
}

const introduction = `Relative paths are relative to the file. Any text may be \`{ file: path }\` or \`{ env: NAME }\` instead, so that secrets stay out of it.
The whole file is checked at start: every mistake is listed, and the console does not start. \`malleus check-config\` checks without starting.`

interface Row {
  readonly key: string
  readonly expected: string
  readonly byDefault: string
  readonly description: string
}

function table(rows: readonly Row[]): string {
  return `| Key | Expected | Default | For |\n| --- | --- | --- | --- |\n${rows.map(formatRow).join('\n')}`
}

function formatRow({ key, expected, byDefault, description }: Row): string {
  return `| \`${key}\` | ${cell(expected)} | ${byDefault} | ${cell(description)} |`
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ')
}

function rowsOf(key: string, schema: z.ZodType): Row[] {
  const { inner, byDefault, optional, description, expected } = unwrap(schema)
  const row: Row = {
    key,
    expected: expected ?? 'settings',
    byDefault: byDefault === undefined ? (optional ? '–' : 'needed') : byDefault,
    description: description ?? '',
  }
  return [row, ...childrenOf(key, inner)]
}

function childrenOf(key: string, inner: z.ZodType): Row[] {
  if (inner instanceof z.ZodObject) {
    const children = Object.values(inner.shape).map((child) => (isSchema(child) ? unwrap(child).inner : undefined))
    if (children.every((child) => child instanceof z.ZodPipe)) return alike(key, inner)
    return Object.entries(inner.shape).flatMap(([name, child]) =>
      isSchema(child) ? rowsOf(`${key}.${name}`, child) : [],
    )
  }
  if (inner instanceof z.ZodArray && isSchema(inner.element)) {
    const element = unwrap(inner.element).inner
    return element instanceof z.ZodObject || element instanceof z.ZodDiscriminatedUnion
      ? childrenOf(`${key}[]`, element)
      : []
  }
  if (inner instanceof z.ZodDiscriminatedUnion) return alternatives(key, inner)
  if (inner instanceof z.ZodPipe && isSchema(inner.out)) {
    // One grant, or a list of them: described once, as one.
    const list = inner.out
    return list instanceof z.ZodArray && isSchema(list.element) ? childrenOf(key, list.element) : []
  }
  return []
}

/** An object whose values are all made alike: each key, and what is in one of them. */
function alike(key: string, inner: z.ZodObject): Row[] {
  const rows = Object.entries(inner.shape).map(([name, child]) =>
    isSchema(child) ? rowsOf(`${key}.${name}`, child) : [],
  )
  const [first = []] = rows
  const name = first[0]?.key ?? ''
  const inside = first.slice(1).map((row) => ({ ...row, key: row.key.replace(name, `${key}.*`) }))
  return [...rows.flatMap((own) => own.slice(0, 1)), ...inside]
}

/** Alternatives by kind: each key once, with the kinds that have it. */
function alternatives(key: string, union: z.ZodDiscriminatedUnion): Row[] {
  const rows = new Map<string, Row & { kinds: string[] }>()
  for (const option of union.options) {
    if (!(option instanceof z.ZodObject)) continue
    const kind: unknown = option.shape['kind']
    const name = kind instanceof z.ZodLiteral ? String(kind.value) : ''
    for (const [child, schema] of Object.entries(option.shape)) {
      if (child === 'kind' || !isSchema(schema)) continue
      for (const row of rowsOf(`${key}.${child}`, schema)) {
        const known = rows.get(row.key)
        if (known === undefined) rows.set(row.key, { ...row, kinds: [name] })
        else known.kinds.push(name)
      }
    }
  }
  const kinds = union.options.flatMap((option) => {
    const kind: unknown = option instanceof z.ZodObject ? option.shape['kind'] : undefined
    return kind instanceof z.ZodLiteral ? [String(kind.value)] : []
  })
  const kindRow: Row = {
    key: `${key}.kind`,
    expected: kinds.join(' or '),
    byDefault: 'needed',
    description: 'What it is.',
  }
  return [
    kindRow,
    ...[...rows.values()].map(({ kinds: of, ...row }) => ({
      ...row,
      description: of.length === kinds.length ? row.description : `For ${of.join(', ')}: ${row.description}`,
    })),
  ]
}

interface Unwrapped {
  readonly inner: z.ZodType
  readonly byDefault?: string
  readonly optional: boolean
  readonly description?: string
  readonly expected?: string
}

/** The schema inside of its default and optional wrappers; the outermost words win. */
function unwrap(schema: z.ZodType): Unwrapped {
  const meta = schema.meta() ?? {}
  const words = {
    ...(meta.description === undefined ? {} : { description: meta.description }),
    ...(meta.expected === undefined ? {} : { expected: meta.expected }),
  }
  if (schema instanceof z.ZodOptional && isSchema(schema.unwrap())) {
    return { ...unwrapInner(schema.unwrap()), ...words, optional: true }
  }
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) {
    const inside = unwrapInner(schema.unwrap())
    return { ...inside, ...words, byDefault: formatDefault(schema.def.defaultValue) }
  }
  return { inner: schema, optional: false, ...words }
}

function unwrapInner(schema: unknown): Unwrapped {
  if (!isSchema(schema)) throw new TypeError('a wrapper without a schema')
  return unwrap(schema)
}

function isSchema(value: unknown): value is z.ZodType {
  return value instanceof z.ZodType
}

function formatDefault(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? 'none' : `\`[${value.join(', ')}]\``
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? `\`${value}\`` : '–'
}
