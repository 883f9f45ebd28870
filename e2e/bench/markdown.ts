/** A table as Markdown; every column but the first is aligned to the right, as numbers want to be. Cells are padded so that it reads well as text too. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, ...rows].map((cells) => head.map((_, column) => (cells[column] ?? '').replaceAll('|', '\\|')))
  const widths = head.map((_, column) => Math.max(4, ...lines.map((cells) => (cells[column] ?? '').length)))
  const pad = (text: string, column: number): string =>
    column === 0 ? text.padEnd(widths[column] ?? 0) : text.padStart(widths[column] ?? 0)
  const rule = widths.map((width, column) => (column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`))
  const [first = [], ...others] = lines.map((cells) => cells.map(pad))
  return [first, rule, ...others].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

/** Milliseconds for people: tenths below ten, whole ones above a hundred. */
export function formatMs(ms: number): string {
  if (Number.isNaN(ms)) return '–'
  return `${ms.toFixed(Math.abs(ms) < 10 ? 2 : Math.abs(ms) < 100 ? 1 : 0)} ms`
}

/** How many times one is the other, as in `12×`. */
export function formatRatio(one: number, other: number): string {
  const ratio = one / other
  if (!Number.isFinite(ratio)) return '–'
  return `${ratio.toFixed(Math.abs(ratio) < 10 ? 2 : 0)}×`
}

export function formatBytes(bytes: number): string {
  return Number.isNaN(bytes) ? '–' : `${(bytes / 1024 / 1024).toFixed(2)} MiB`
}
