import type { Socket } from 'node:net'
import type { ProblemCode } from '@malleus/shared/api/problem.ts'
import type { Door } from './door.ts'
import { problems } from './problem.ts'
import { commonHeaders } from './security-headers.ts'

/**
 * What could not be read as a request (RFC 9112): Node's parser refuses both kinds of length at once, folded headers,
 * stray line breaks and all else that two readers could take apart in two ways. There is no response object yet, so the
 * answer is written by hand, and the connection is closed.
 */
export function answerParserError(
  { random, logger, metrics, settings }: Pick<Door, 'random' | 'logger' | 'metrics' | 'settings'>,
  error: Error,
  socket: Socket,
): void {
  const code = codeOf(error, settings.limits.urlBytes)
  metrics.refused(code)
  const requestId = random.uuid()
  // Not the error itself: Node keeps with it what came, and in that are cookies.
  logger.debug({ requestId, code, fault: faultOf(error), peer: socket.remoteAddress }, 'What came was not a request')
  // After a first answer the rest of the connection may be anything; words would be taken for part of that answer.
  if (!socket.writable || socket.bytesWritten > 0) {
    socket.destroy()
    return
  }
  const { status, title } = problems[code]
  const body = JSON.stringify({ type: `urn:malleus:problem:${code}`, title, status, code, requestId })
  const head = [
    `HTTP/1.1 ${status} ${reasons[status] ?? 'Bad Request'}`,
    'content-type: application/problem+json',
    `content-length: ${Buffer.byteLength(body)}`,
    `x-request-id: ${requestId}`,
    ...commonHeaders.map(([name, value]) => `${name}: ${value}`),
    'connection: close',
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
}

const reasons: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  414: 'URI Too Long',
  431: 'Request Header Fields Too Large',
}

/** Node's name for what was wrong, such as `HPE_INVALID_HEADER_TOKEN`. */
function faultOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name
}

function codeOf(error: Error, urlBytes: number): ProblemCode {
  if (!('code' in error) || error.code !== 'HPE_HEADER_OVERFLOW') return 'bad_request'
  return firstLineOf(error).length > urlBytes ? 'uri_too_long' : 'headers_too_large'
}

/** The line that was being read, as far as it came. */
function firstLineOf(error: Error): string {
  if (!('rawPacket' in error) || !(error.rawPacket instanceof Buffer)) return ''
  const end = error.rawPacket.indexOf('\r\n')
  return error.rawPacket.subarray(0, end === -1 ? error.rawPacket.length : end).toString('latin1')
}
