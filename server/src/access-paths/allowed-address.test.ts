import { describe, expect, test } from 'vitest'
import { mayProbe } from './allowed-address.ts'

const nothing = { probeNetworks: null, memberNetworks: [], memberAddresses: [] }

describe('by itself, the console goes to public addresses only', () => {
  test.each(['192.0.2.7', '203.0.113.7', '2001:db8::7', '8.8.8.8'])('%s', (address) => {
    expect(mayProbe(address, nothing)).toBe(true)
  })

  test.each([
    '127.0.0.1',
    '127.8.8.8',
    '0.0.0.0',
    '10.20.0.11',
    '172.16.0.1',
    '192.168.1.1',
    '100.64.0.1',
    '169.254.169.254',
    '224.0.0.1',
    '255.255.255.255',
    '::1',
    '::',
    'fe80::1',
    'fd00:ec2::254',
    'ff02::1',
    '::ffff:127.0.0.1',
    '::ffff:169.254.169.254',
    '64:ff9b::a9fe:a9fe',
    'incus.example.net',
    '',
  ])('and not to "%s"', (address) => {
    expect(mayProbe(address, nothing)).toBe(false)
  })
})

describe('it also goes where', () => {
  test('members answer', () => {
    expect(mayProbe('10.20.0.11', { ...nothing, memberAddresses: ['10.20.0.11'] })).toBe(true)
    expect(mayProbe('10.20.0.12', { ...nothing, memberAddresses: ['10.20.0.11'] })).toBe(false)
  })

  test('members may answer', () => {
    expect(mayProbe('10.20.0.12', { ...nothing, memberNetworks: ['10.20.0.0/24'] })).toBe(true)
  })

  test('the configuration says, and then nowhere else', () => {
    const only = { ...nothing, probeNetworks: ['192.168.7.0/24', 'fd00::/8', '127.0.0.1'] }
    expect(mayProbe('192.168.7.9', only)).toBe(true)
    expect(mayProbe('fd00::9', only)).toBe(true)
    expect(mayProbe('127.0.0.1', only)).toBe(true)
    expect(mayProbe('127.0.0.2', only)).toBe(false)
    expect(mayProbe('203.0.113.7', only)).toBe(false)
  })
})
