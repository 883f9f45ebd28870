const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const

/** "212 MiB", "6.1 GiB": at most three digits. */
export function formatBytes(bytes: number): string {
  let value = Math.max(0, bytes)
  let unit = 0
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1024
    unit += 1
  }
  const digits = unit > 0 && value < 10 ? 1 : 0
  return `${value.toFixed(digits)} ${units[unit] ?? 'PiB'}`
}

export function formatPercent(part: number, whole: number): string {
  return whole <= 0 ? '–' : `${Math.round((100 * part) / whole)}%`
}
