import { expect, test } from 'vitest'
import { silenceOf } from './silence.ts'

test.each([
  ['healthy', null, null],
  ['suspect', null, null],
  ['suspect', 'slow', null],
  ['suspect', 'stuck', 'The server is stuck.'],
  ['ejected', null, 'The server does not answer.'],
  ['ejected', 'refusing', 'The server refuses connections.'],
  ['degraded', 'database', null],
  ['untrusted', 'wrong-certificate', 'The server presents a wrong certificate.'],
] as const)('a server that is %s (%s) is silent: %s', (standing, symptom, sentence) => {
  expect(silenceOf({ standing, symptom })).toBe(sentence)
})
