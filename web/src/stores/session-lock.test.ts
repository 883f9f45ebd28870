import { beforeEach, expect, test } from 'vitest'
import { leavePage, lockSession, sessionLock } from './session-lock.ts'

beforeEach(() => sessionLock.set(null))

test('a page is locked for the first reason that it hears', () => {
  lockSession('It was ended elsewhere.')
  lockSession('Nobody is signed in.')
  expect(sessionLock.get()).toEqual({ reason: 'It was ended elsewhere.' })
})

test('a page that its person leaves is not locked, unless they stay after all', () => {
  const stay = leavePage()
  lockSession('The session has ended.')
  expect(sessionLock.get()).toBeNull()
  stay()
  lockSession('The session has ended.')
  expect(sessionLock.get()).toEqual({ reason: 'The session has ended.' })
})
