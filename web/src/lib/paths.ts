/** Every address of the application outside the router's own typed links. */

export const signInPath = '/sign-in'

export function loginUrl(returnTo: string): string {
  return `/auth/login?${new URLSearchParams({ returnTo }).toString()}`
}

/** Where a window goes in which the person proves again who they are. */
export function stepUpUrl(id: string): string {
  return `/auth/login?${new URLSearchParams({ stepUp: id }).toString()}`
}

/** Where the person is now, to come back to after signing in. */
export function currentPath(location: Pick<Location, 'pathname' | 'search' | 'hash'>): string {
  return `${location.pathname}${location.search}${location.hash}`
}

/** A path of this origin, or the start page: nothing else may follow a sign-in. */
export function safeReturnTo(path: string | undefined): string {
  if (
    path === undefined ||
    !path.startsWith('/') ||
    /^\/[/\\]/.test(path) ||
    /^\/(auth|api|d|reports|sign-in)(\/|\?|$)/.test(path)
  )
    return '/'
  return path
}
