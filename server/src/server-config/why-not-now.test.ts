import { describe, expect, test } from 'vitest'
import { whyNotNow } from './why-not-now.ts'

describe('settings', () => {
  test.each([
    ['may be changed while all answer', 'Online', 'healthy', true],
    ['may be changed while one is slow', 'Online', 'suspect', true],
    ['may not be changed while one hangs that the cluster waits for', 'Online', 'ejected', false],
    ['may be changed when the cluster has given that one up', 'Offline', 'ejected', true],
    ['may be changed when it was taken out', 'Evacuated', 'ejected', true],
    ['may be changed when nothing is reported of it', null, 'ejected', true],
  ] as const)('%s', (_, reported, standing, may) => {
    const others = [{ name: 'server1', reported: 'Online', standing: 'healthy' }] as const
    expect(whyNotNow([...others, { name: 'server2', reported, standing }]) === null).toBe(may)
  })

  test('are refused with the name of who hangs', () => {
    expect(whyNotNow([{ name: 'server2', reported: 'Online', standing: 'ejected' }])).toContain(
      'server2 does not answer',
    )
  })
})
