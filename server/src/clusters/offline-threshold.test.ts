import { expect, test } from 'vitest'
import { offlineThresholdSeconds } from './offline-threshold.ts'

test.each<[string, Readonly<Record<string, unknown>> | null, number | null]>([
  ['nobody told', null, null],
  ['it may not be seen', {}, null],
  ['nothing is set', { 'core.https_address': ':8443' }, 20],
  ['it was unset', { 'cluster.offline_threshold': '' }, 20],
  ['it is set', { 'cluster.offline_threshold': '60' }, 60],
  ['it is not understood', { 'cluster.offline_threshold': 'soon' }, null],
])('the offline threshold where %s', (_, config, seconds) => {
  expect(offlineThresholdSeconds(config)).toBe(seconds)
})
