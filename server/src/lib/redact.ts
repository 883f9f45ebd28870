// What may be read in text of others: errors of libraries, words of Incus. Fields are chosen where they are known; this is
// for what is passed on as it is, and for every line of the log, so that one careless place is not enough.

const redacted = '[redacted]'

const secrets: readonly (readonly [pattern: RegExp, instead: string])[] = [
  // JSON Web Tokens: the first part is JSON in base64url, and so begins with `{"`.
  [/\beyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?/g, redacted],
  [/\b(bearer\s+)[\w.~+/=-]{12,}/gi, `$1${redacted}`],
  [/(__Host-Http-\w+=)[^\s;,"'\\]+/g, `$1${redacted}`],
  // In addresses: who asks, and values of keys that name a secret or a step of a sign-in.
  [/\b([a-z][a-z0-9+.-]{1,20}:\/\/)[^\s/?#@"'\\]+@/gi, `$1${redacted}@`],
  [
    /([?&](?:code|state|[\w.-]{0,40}(?:pass|secret|token|credential|api[-_.]?key)[\w.-]{0,40})=)[^\s&#"'\\]+/gi,
    `$1${redacted}`,
  ],
  [/-----BEGIN ([A-Z ]*)PRIVATE KEY-----[^]*?(?:-----END \1PRIVATE KEY-----|$)/g, redacted],
]

/** The text with everything taken out that looks like a token, a key, a cookie of ours or a secret in an address. */
export function withoutSecrets(text: string): string {
  return secrets.reduce((left, [pattern, instead]) => left.replace(pattern, instead), text)
}
