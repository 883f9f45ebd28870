const MOST_CHARACTERS = 1024

/**
 * Where the browser goes after signing in: a path of this origin, as a browser would read it, or the start page. Nothing
 * that leads elsewhere, to the sign-in itself, or to what is no page.
 */
export function safeReturnTo(wanted: string | null | undefined, publicUrl: string): string {
  if (wanted === null || wanted === undefined || wanted.length > MOST_CHARACTERS || !wanted.startsWith('/')) return '/'
  // Browsers drop tabs and line breaks from addresses and read a backslash as a slash; no link of ours has any.
  if (/[\\\p{Cc}]/u.test(wanted) || !URL.canParse(wanted, publicUrl)) return '/'
  const url = new URL(wanted, publicUrl)
  if (url.origin !== new URL(publicUrl).origin || /^\/(auth|api|d|reports|sign-in)(\/|$)/.test(url.pathname)) return '/'
  const path = `${url.pathname}${url.search}${url.hash}`
  // What was resolved may begin with two slashes (`/.//host`), and that is another host once it stands alone.
  return path.startsWith('//') ? '/' : path
}
