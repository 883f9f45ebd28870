import { describe, expect, test } from 'vitest'
import { addressFor, describeKind, describeWait } from './path-words.ts'

describe('a wait is said', () => {
  test.each([
    [6, false, '6.0 ms'],
    [3_420, false, '3.4 s'],
    [31_000, false, '31 s'],
    [36_000, true, 'more than 36 s'],
    [null, false, 'as long as it lasts'],
  ])('%s ms, unanswered: %s: %s', (ms, unanswered, words) => {
    expect(describeWait(ms, unanswered)).toBe(words)
  })
})

test.each([
  ['load-balancer', 'member', 'Load balancer, TCP passthrough'],
  ['load-balancer', 'before', 'Load balancer, terminates TLS'],
  ['load-balancer', 'unknown', 'Load balancer'],
  ['dns', 'member', 'DNS round-robin'],
] as const)('%s where TLS ends %s is called "%s"', (kind, tlsEnds, words) => {
  expect(describeKind({ kind, tlsEnds })).toBe(words)
})

test.each([
  ['incus.example.net:8443', 'incus.example.net'],
  ['[fd00::100]:8443', 'fd00::100'],
  ['10.20.0.100:8443', '10.20.0.100'],
])('a configuration for %s is of %s', (target, address) => {
  expect(addressFor({ kind: 'dns', target })).toBe(address)
})
