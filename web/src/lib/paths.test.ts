import { expect, test } from 'vitest'
import { currentPath, loginUrl, safeReturnTo } from './paths.ts'

test('the sign-in link carries the whole place to return to', () => {
  const here = { pathname: '/clusters/prod-eu/members', search: '?target=%40edge&sort=-answer', hash: '#probes' }
  expect(loginUrl(currentPath(here))).toBe(
    '/auth/login?returnTo=%2Fclusters%2Fprod-eu%2Fmembers%3Ftarget%3D%2540edge%26sort%3D-answer%23probes',
  )
})

test.each([
  [undefined, '/'],
  ['', '/'],
  ['https://evil.example', '/'],
  ['//evil.example', '/'],
  ['/\\evil.example', '/'],
  ['/sign-in?returnTo=/x', '/'],
  ['/auth/login', '/'],
  ['/clusters/prod-eu', '/clusters/prod-eu'],
  ['/sign-in-help', '/sign-in-help'],
])('returning to %s leads to %s', (asked, path) => expect(safeReturnTo(asked)).toBe(path))
