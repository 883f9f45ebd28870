import { withoutSecrets } from '../lib/redact.ts'
import { isSecretKey } from '../secrets/mask.ts'

/** Why an order failed, in few words of those who know, and what to do about it. */
export interface OrderFailure {
  readonly error: string
  readonly advice: { readonly text: string; readonly command: string | null } | null
}

/**
 * What Incus tells of an order that failed. It runs `lego` and gives back all that it wrote, of which the end says why
 * (incus `internal/server/acme/acme.go`).
 *
 * @param secrets values that must not be in what is shown, should lego have repeated them
 */
export function orderFailure(text: string, secrets: readonly string[] = []): OrderFailure {
  const error = reasonIn(hide(text, secrets))
  return { error, advice: adviceFor(text) }
}

/** What must not be in what is shown, should a program have repeated it: every secret of these settings. */
export function secretsIn(...settings: readonly Readonly<Record<string, unknown>>[]): readonly string[] {
  return settings.flatMap(Object.entries<unknown>).flatMap(([key, value]) => {
    if (typeof value !== 'string' || value === '' || !isSecretKey(key)) return []
    // One setting may hold several: lines of NAME=value.
    return [value, ...value.split('\n').map((line) => line.slice(line.indexOf('=') + 1).trim())]
  })
}

const mostText = 400

function reasonIn(text: string): string {
  const problem = /error: one or more domains had a problem:\s*([^]*)/.exec(text)?.[1]
  const [last = ''] = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && line !== ')')
    .slice(-1)
  const said = (problem ?? last)
    .replace(/\)\s*$/, '')
    .replace(/^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d /, '')
    .trim()
  const reason = withoutSecrets(said)
  return reason.length > mostText ? `${reason.slice(0, mostText - 1)}…` : reason
}

function hide(text: string, secrets: readonly string[]): string {
  return secrets.filter((secret) => secret.length >= 4).reduce((left, secret) => left.replaceAll(secret, '…'), text)
}

function adviceFor(text: string): OrderFailure['advice'] {
  return advices.find(([pattern]) => pattern.test(text))?.[1] ?? null
}

/** In the words of Go, of lego and of RFC 8555, section 6.7. */
const advices: readonly (readonly [RegExp, NonNullable<OrderFailure['advice']>])[] = [
  [
    /exec: "lego": executable file not found/,
    {
      text: 'Incus orders certificates with the program lego, which is missing on the server that ordered. Install it on every server: any of them may have to order next time.',
      command: 'apt install lego',
    },
  ],
  [
    /error:(rateLimited|rate_limited)|too many (certificates|failed|registrations)/i,
    {
      text: 'The authority takes no more orders for now. Wait as long as it says; to try things out, use its directory for that.',
      command: null,
    },
  ],
  [
    /error:(connection|dns|unauthorized|incorrectResponse)|could not resolve|Invalid response from/i,
    {
      text: 'The authority could not get the answer to its challenge from the domain. Look at what the check says of the way from port 80 of the domain to the servers.',
      command: null,
    },
  ],
  [
    /error:externalAccountRequired|external account/i,
    {
      text: 'The authority wants an account that was made with it before: fill in the account that it gave you.',
      command: null,
    },
  ],
  [
    /unrecognized DNS provider|some credentials information are missing/i,
    {
      text: 'lego does not know this provider, or needs other settings for it. They are described with lego under the name of the provider.',
      command: 'lego dnshelp',
    },
  ],
  [
    /x509: certificate signed by unknown authority/i,
    {
      text: 'The server that ordered does not believe the certificate of the directory. Where that is one of your own, the servers have to trust its authority.',
      command: null,
    },
  ],
  [
    /context deadline exceeded|i\/o timeout|no route to host|connect: connection refused/i,
    { text: 'The server that ordered could not reach the authority.', command: null },
  ],
  [
    /Unable to connect to|is offline|Failed to update cluster certificate/i,
    {
      text: 'The certificate was issued, and could not be given to every server. Bring back the one that is missing, then order again.',
      command: null,
    },
  ],
]
