import { describe, expect, it } from 'vitest'
import { networkSet } from '../config/address.ts'
import { clientAddress } from './client-address.ts'

const trusted = networkSet(['10.0.0.0/8', '192.0.2.1', 'fd00::/8'])

describe('the address of a client', () => {
  it.each([
    ['is the peer', '198.51.100.7', undefined, '198.51.100.7', null],
    ['is the peer, whatever a stranger says', '198.51.100.7', '203.0.113.9', '198.51.100.7', null],
    ['is what a trusted proxy says', '10.1.1.1', '203.0.113.9', '203.0.113.9', '10.1.1.1'],
    [
      'is the first that is not a proxy, from the right',
      '10.1.1.1',
      '6.6.6.6, 203.0.113.9, 192.0.2.1',
      '203.0.113.9',
      '10.1.1.1',
    ],
    ['is the farthest proxy when all are', '10.1.1.1', '10.9.9.9, 192.0.2.1', '10.9.9.9', '10.1.1.1'],
    ['ends at what is no address', '10.1.1.1', '203.0.113.9, nonsense, 10.2.2.2', '10.2.2.2', '10.1.1.1'],
    ['is the proxy when it says nothing of use', '10.1.1.1', 'unknown', '10.1.1.1', null],
    ['has no port', '10.1.1.1', '203.0.113.9:5123', '203.0.113.9', '10.1.1.1'],
    ['may be IPv6', '10.1.1.1', '[2001:db8::7]:443', '2001:db8::7', '10.1.1.1'],
    ['is IPv4 when it comes as IPv6', '::ffff:10.1.1.1', '203.0.113.9', '203.0.113.9', '10.1.1.1'],
    ['may come through IPv6 proxies', 'fd00::1', '2001:db8::7', '2001:db8::7', 'fd00::1'],
    ['is unknown when the connection is gone', undefined, '203.0.113.9', 'unknown', null],
  ])('%s', (_, peer, forwarded, ip, via) => {
    expect(clientAddress(peer, forwarded, trusted)).toEqual({ ip, via })
  })
})
