/** The only file that knows the library which speaks SMTP. */
import { createTransport } from 'nodemailer'
import type { AlertSink } from './alert-sink.ts'
import { DeliveryFailed } from './alert-sink.ts'

export interface EmailSettings {
  readonly host: string
  readonly port: number
  /** `none`: in the clear, which the configuration allows to this machine itself only. */
  readonly tls: 'starttls' | 'implicit' | 'none'
  readonly username: string | null
  readonly password: string | null
  readonly from: string
  readonly to: readonly string[]
  /** PEM; null for the authorities of the system. */
  readonly ca: string | null
}

const mostWords = 300
const phaseMs = 8_000

/** Alerts as mail. Each message has a connection of its own: there are few, and days between them. */
export function emailSink(settings: EmailSettings): AlertSink {
  const { host, port, tls, username, password, from, to, ca } = settings
  const transport = createTransport({
    host,
    port,
    secure: tls === 'implicit',
    // Without it a server that offers no TLS would get the mail, and the password, in the clear.
    requireTLS: tls === 'starttls',
    ignoreTLS: tls === 'none',
    ...(ca !== null && { tls: { ca } }),
    ...(username !== null && { auth: { user: username, pass: password ?? '' } }),
    connectionTimeout: phaseMs,
    greetingTimeout: phaseMs,
    socketTimeout: phaseMs,
    dnsTimeout: phaseMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  return {
    name: 'email',
    to: to.join(', '),
    deliver: async ({ subject, text }) => {
      try {
        const { response, rejected } = await transport.sendMail({ from, to: [...to], subject, text })
        if (rejected.length > 0) throw new DeliveryFailed(`${host} did not take it for ${rejected.join(', ')}`)
        return `${host}:${port} said: ${response.slice(0, mostWords)}`
      } catch (error) {
        if (error instanceof DeliveryFailed) throw error
        throw new DeliveryFailed(`${host}:${port}: ${reasonOf(error)}`, { cause: error })
      }
    },
    close: () => {
      transport.close()
      return Promise.resolve()
    },
  }
}

/** What the server said is worth more than what the library makes of it. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const response = 'response' in error && typeof error.response === 'string' ? error.response : error.message
  return response.replaceAll(/\s+/g, ' ').slice(0, mostWords)
}
