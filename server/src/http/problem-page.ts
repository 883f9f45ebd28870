import type { Problem } from '@malleus/shared/api/problem.ts'
import type { Door } from './door.ts'
import type { Exchange } from './exchange.ts'
import type { ProblemReply } from './problem-handler.ts'

/** Whether a person opened an address, and so looks at whatever is answered. The API is for programs. */
export function isNavigation({ request, method, path }: Exchange): boolean {
  if (method !== 'GET' || path.segments[0] === 'api' || path.raw.startsWith('/api/')) return false
  return (request.headers.accept ?? '').includes('text/html')
}

/**
 * Answers a navigation: an address that is nowhere gets the console's page, which says so in its own words and leads on;
 * all else is said in a few lines, because the page would not come either.
 *
 * @returns how many bytes were written, as far as is known
 */
export function sendProblemPage(
  { site }: Pick<Door, 'site'>,
  { request, response }: Exchange,
  reply: ProblemReply,
): number {
  if (response.headersSent) {
    response.destroy()
    return 0
  }
  const { status, headers, body } = reply
  if (body.code === 'bad_path' || body.code === 'not_found') {
    site.serve(response, { path: '/', acceptEncoding: '', wantsPage: true, status })
    return 0
  }
  const text = documentOf(body)
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
  response.setHeader('content-type', 'text/html; charset=utf-8')
  response.setHeader('content-length', Buffer.byteLength(text))
  if (!request.complete) response.setHeader('connection', 'close')
  response.writeHead(status)
  response.end(text)
  return Buffer.byteLength(text)
}

/** Without a style or a script: its policy allows neither. */
function documentOf({ title, detail, requestId }: Problem): string {
  const lines = [title, ...(detail === undefined ? [] : [detail])].map((line) => `<p>${escaped(line)}</p>`)
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Malleus</title>
<h1>Malleus</h1>
${lines.join('\n')}
<p><a href="/">Go to the console</a></p>
<p><small>Request ${escaped(requestId)}</small></p>
</html>
`
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
