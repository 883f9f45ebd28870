import { isIPv4, isIPv6 } from 'node:net'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { thrownBy } from '../../testing/thrown-by.ts'
import { proxyHeader } from './proxy-header.ts'

describe('a PROXY header of version 1', () => {
  it.each([
    ['192.0.2.1', 51_000, '10.20.0.11', 'PROXY TCP4 192.0.2.1 10.20.0.11 51000 8443\r\n'],
    ['::ffff:192.0.2.1', 51_000, '10.20.0.11', 'PROXY TCP4 192.0.2.1 10.20.0.11 51000 8443\r\n'],
    ['2001:DB8::1', 51_000, 'fd00::11', 'PROXY TCP6 2001:db8::1 fd00::11 51000 8443\r\n'],
    ['fe80::1%eth0', 51_000, 'fd00::11', 'PROXY TCP6 fe80::1 fd00::11 51000 8443\r\n'],
    ['192.0.2.1', 51_000, 'fd00::11', 'PROXY TCP6 ::ffff:192.0.2.1 fd00::11 51000 8443\r\n'],
    ['2001:db8::1', 0, '10.20.0.11', 'PROXY TCP6 2001:db8::1 ::ffff:10.20.0.11 0 8443\r\n'],
  ])('from %s %d to %s', (address, port, to, expected) => {
    expect(proxyHeader({ address, port }, { address: to, port: 8443 })).toBe(expected)
  })

  it.each(['', 'server1', '10.20.0.300', '10.20.0.1 10.20.0.2', '10.20.0.1\r\nGET /', 'fd00::g'])(
    'is not made for "%s"',
    (address) => {
      expect(() => proxyHeader({ address, port: 1 }, { address: '10.20.0.11', port: 8443 })).toThrow(RangeError)
    },
  )

  it.each([-1, 65_536, 1.5, Number.NaN])('is not made for the port %d', (port) => {
    expect(() => proxyHeader({ address: '10.20.0.1', port }, { address: '10.20.0.11', port: 8443 })).toThrow(RangeError)
  })

  it('T-fuzz: nothing fails but with a RangeError', () => {
    fc.assert(
      fc.property(fc.string(), fc.oneof(fc.integer(), fc.double()), (from, port) => {
        const thrown = thrownBy(() => proxyHeader({ address: from, port }, { address: '10.20.0.11', port: 8443 }))
        expect(thrown === null || thrown instanceof RangeError).toBe(true)
      }),
      { numRuns: 10_000 },
    )
  })

  it('T-fuzz: is one line with two addresses of one family', () => {
    const address = fc.oneof(fc.ipV4(), fc.ipV6())
    const port = fc.integer({ min: 0, max: 65_535 })
    fc.assert(
      fc.property(address, port, address, (from, fromPort, to) => {
        const make = (): string => proxyHeader({ address: from, port: fromPort }, { address: to, port: 8443 })
        const header = make()
        const [, family, source = '', destination = ''] =
          /^PROXY (TCP4|TCP6) (\S+) (\S+) \d+ 8443\r\n$/.exec(header) ?? []
        const isOfFamily = family === 'TCP4' ? isIPv4 : isIPv6
        expect(isOfFamily(source) && isOfFamily(destination)).toBe(true)
        // The longest one that the specification allows (section 2.1).
        expect(header.length).toBeLessThanOrEqual(107)
      }),
      { numRuns: 10_000 },
    )
  })
})
