import type { Finding } from '@malleus/shared/api/finding.ts'
import { expect, test } from 'vitest'
import { countFindings } from './count-findings.ts'

test.each<[readonly Finding['severity'][], number, string]>([
  [[], 0, 'warning'],
  [['info', 'info'], 0, 'warning'],
  [['info', 'warning'], 1, 'warning'],
  [['warning', 'bad', 'info'], 2, 'bad'],
])('of %j, %i are counted, as %s', (severities, count, tone) => {
  const findings = severities.map((severity) => ({ severity, code: 'x', text: 'X.' }))
  expect(countFindings(findings)).toEqual({ count, tone })
})
