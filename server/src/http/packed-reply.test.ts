import { gunzipSync } from 'node:zlib'
import { describe, expect, it, test } from 'vitest'
import { packedIfLarge } from './packed-reply.ts'

const large = JSON.stringify({ rows: Array.from({ length: 1_000 }, (_, at) => ({ name: `web-${at}` })) })

describe('a reply that may be packed', () => {
  it('is what it was once it is unpacked', async () => {
    const packed = await packedIfLarge(large, 'gzip, deflate, br')
    expect(packed).not.toBeNull()
    expect(packed?.length).toBeLessThan(large.length / 4)
    expect(gunzipSync(packed ?? '').toString('utf8')).toBe(large)
  })

  it('goes as it is where it is small', async () => {
    expect(await packedIfLarge('{"rows":[]}', 'gzip')).toBeNull()
  })

  test.each([
    ['gzip', true],
    ['br;q=1.0, GZIP;q=0.5', true],
    ['gzip;q=1', true],
    ['gzip;q=0', false],
    ['gzip;q=0.000', false],
    ['br, deflate', false],
    ['x-gzip', false],
    ['', false],
    [undefined, false],
  ])('is packed only for who takes it: %s', async (accepted, expected) => {
    expect((await packedIfLarge(large, accepted)) !== null).toBe(expected)
  })
})
