import type { Finding } from '@malleus/shared/api/finding.ts'

/** How many findings ask for something to be done, and how bad the worst is. What is only to be known is not counted. */
export function countFindings(findings: readonly Finding[]): { count: number; tone: 'bad' | 'warning' } {
  const open = findings.filter(({ severity }) => severity !== 'info')
  return { count: open.length, tone: open.some(({ severity }) => severity === 'bad') ? 'bad' : 'warning' }
}
