import { describe, expect, test } from 'vitest'
import { withoutAddresses, wordsWithoutAddresses } from './without-addresses.ts'

describe('a text for people who do not run the cluster', () => {
  test.each([
    ['dial tcp 10.20.0.11:8443: connect: connection refused', 'dial tcp a server: connect: connection refused'],
    ['10.20.0.11 and 10.20.0.12 do not answer', 'a server and a server do not answer'],
    ['connect ECONNREFUSED [fd00::1]:8443', 'connect ECONNREFUSED a server'],
    ['fe80::1%eth0 is silent', 'a server%eth0 is silent'],
    ['2001:db8::7 does not answer', 'a server does not answer'],
    ['At 12:34:56 server1 fell silent', 'At 12:34:56 server1 fell silent'],
    ['Version 6.0.4 is older than 7.0', 'Version 6.0.4 is older than 7.0'],
  ])('%s', (text, expected) => {
    expect(withoutAddresses(text)).toBe(expected)
  })
})

describe('a reply for them', () => {
  const said = 'dial tcp 10.20.0.11:8443 failed'
  const clean = 'dial tcp a server failed'

  test('has no address in its words, however deep', () => {
    const reply = {
      findings: [{ code: 'x', text: said }],
      members: [{ health: { failure: { message: said } }, load: { freshness: { kind: 'stale', reason: said } } }],
      notContacted: said,
    }
    expect(wordsWithoutAddresses(reply)).toEqual({
      findings: [{ code: 'x', text: clean }],
      members: [{ health: { failure: { message: clean } }, load: { freshness: { kind: 'stale', reason: clean } } }],
      notContacted: clean,
    })
  })

  test('keeps what is no sentence, and what is what it was', () => {
    const reply = { name: '10.20.0.11:8443', at: 7, none: null, list: [{ message: 'It is silent.' }] }
    expect(wordsWithoutAddresses(reply)).toBe(reply)
  })
})
