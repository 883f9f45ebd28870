import { connect } from 'node:tls'
import type { Sink, SinkLine, SinkSettings } from './sink.ts'

const DEADLINE_MS = 10_000
/** Facility 13, log audit, and severity 5, notice (RFC 5424, 6.2.1). */
const PRIORITY = 13 * 8 + 5

/**
 * Lines as syslog over TLS (RFC 5424 messages, framed as RFC 5425 has it). Syslog has no answers, so each batch has a
 * connection of its own: lines count as delivered when the other side, having read to the end, has closed it in order.
 */
export function syslogSink(settings: Extract<SinkSettings, { kind: 'syslog' }>, hostname: string): Sink {
  const { name, records } = settings
  return {
    name,
    wantsRecords: records,
    deliver: (lines) => send(settings, lines.map((line) => frame(syslogMessage(line, hostname))).join('')),
    close: () => Promise.resolve(),
  }
}

/** RFC 5424: no process id, no structured data; the text is JSON on one line, in printable form. */
export function syslogMessage({ kind, at, text }: SinkLine, hostname: string): string {
  const host = hostname.replaceAll(/[^\x21-\x7e]/g, '').slice(0, 255) || '-'
  return `<${PRIORITY}>1 ${at} ${host} malleus - ${kind} - ${text}`
}

/** Octet counting (RFC 5425, 4.3): the length in bytes, a space, the message. */
export function frame(message: string): string {
  return `${Buffer.byteLength(message)} ${message}`
}

function send({ host, port, ca }: Extract<SinkSettings, { kind: 'syslog' }>, bytes: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, servername: host, ...(ca !== null && { ca }) })
    let ended = false
    socket.setTimeout(DEADLINE_MS, () => socket.destroy(new Error(`${host}:${port} did not answer in time`)))
    socket.once('secureConnect', () => socket.end(bytes))
    // What it sends means nothing here, but unread it would keep the end from being noticed.
    socket.resume()
    socket.once('end', () => (ended = socket.writableFinished))
    socket.once('error', reject)
    socket.once('close', () => {
      if (ended) resolve()
      else reject(new Error(`${host}:${port} closed the connection before it had read all`))
    })
  })
}
