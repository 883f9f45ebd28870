import { describe, expect, test } from 'vitest'
import { ApiError } from './api-error.ts'
import { triesAgain } from './query-client.ts'

const failed = (code: ApiError['code'], status: number) => new ApiError('It failed.', { code, status })

describe('a read that failed', () => {
  test.each([
    ['is tried for some seconds while the console is started anew', failed('offline', 0), 8],
    ['is tried for some seconds while the console takes no new work', failed('draining', 503), 8],
    ['is tried twice more when the cluster does not answer', failed('no_responsive_member', 502), 2],
    ['is tried twice more when the console cannot read its database', failed('storage_unavailable', 503), 2],
    ['is not tried again when it was refused', failed('forbidden', 403), 0],
    ['is not tried again when nobody is signed in', failed('session_expired', 401), 0],
    ['is not tried again when its time was up', failed('deadline_exceeded', 504), 0],
    ['is not tried again when it was given up', new DOMException('aborted', 'AbortError'), 0],
  ])('%s', (_, error, times) => {
    const tried = Array.from({ length: 12 }, (_each, at) => at).filter((failures) => triesAgain(failures, error))
    expect(tried).toHaveLength(times)
  })
})
