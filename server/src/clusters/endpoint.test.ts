import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { thrownBy } from '../../testing/thrown-by.ts'
import { formatEndpoint, parseEndpoint } from './endpoint.ts'

describe('parseEndpoint', () => {
  it.each([
    ['10.20.0.11:8443', '10.20.0.11', 8443],
    ['10.20.0.11', '10.20.0.11', 8443],
    ['Server1.Example.net:443', 'server1.example.net', 443],
    ['localhost:1', 'localhost', 1],
    ['[fd00::11]:8444', 'fd00::11', 8444],
    ['[FD00::11]', 'fd00::11', 8443],
    ['fd00::11', 'fd00::11', 8443],
    ['https://10.20.0.11:8443', '10.20.0.11', 8443],
    ['https://[fd00::11]:8443/', 'fd00::11', 8443],
  ])('reads %s', (text, host, port) => {
    expect(parseEndpoint(text)).toEqual({ host, port })
  })

  it.each([
    '',
    ':8443',
    '10.20.0.11:0',
    '10.20.0.11:65536',
    '10.20.0.11:-1',
    '10.20.0.300:8443',
    '10.20:8443',
    'http://10.20.0.11:8443',
    'https://10.20.0.11:8443/1.0',
    'https://user@10.20.0.11:8443',
    'server 1:8443',
    'server_1:8443',
    '-server:8443',
    '[10.20.0.11]:8443',
    '[fd00::11:8443',
    'fd00::11]:8443',
    'a:b:c',
    `${'a'.repeat(64)}.net`,
  ])('refuses "%s" with a sentence', (text) => {
    expect(() => parseEndpoint(text)).toThrow(/is not an address and port/)
  })

  it('reads back what formatEndpoint wrote', () => {
    const endpoint = fc.record({
      host: fc.oneof(
        fc.ipV4(),
        fc.ipV6(),
        fc.domain().map((name) => name.toLowerCase()),
      ),
      port: fc.integer({ min: 1, max: 65_535 }),
    })
    fc.assert(
      fc.property(endpoint, (each) => {
        expect(parseEndpoint(formatEndpoint(each))).toEqual({ ...each, host: each.host.toLowerCase() })
      }),
    )
  })

  it('never fails but with a RangeError', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(thrownBy(() => parseEndpoint(text)) ?? new RangeError()).toBeInstanceOf(RangeError)
      }),
    )
  })
})
