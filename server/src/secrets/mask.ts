// Secrets on their way to a page and back. What is named like a secret leaves the console as a mask that tells whether it
// changed and nothing else; a form that was saved brings the mask back, and the secret itself is put in its place.
// lib/redact.ts is for text in which a secret may stand anywhere; this is for values whose names are known.

import type { MaskedValue, Redacted } from '@malleus/shared/domain/redacted.ts'
import { isRedacted } from '@malleus/shared/domain/redacted.ts'

/** A tag of a secret that only this console can make: equal ones look equal, and it cannot be read. */
export type Mask = (secret: string) => string

/** Keys whose names sound like secrets and that hold how long a secret lives. */
const notSecret: ReadonlySet<string> = new Set(['core.remote_token_expiry', 'cluster.join_token_expiry'])

const secretNames =
  /pass|secret|token|private|credential|hmac|api[-_.]?key|_key$|^cloud-init\.|^user\..*-data$|(^|\.)environment/i

/** Whether what stands under this name is a secret. Unknown names that sound like one are taken for one. */
export function isSecretKey(name: string): boolean {
  return secretNames.test(name) && !notSecret.has(name)
}

/** What stands for a value; what is empty hides nothing. */
export function masked(value: unknown, mask: Mask): unknown {
  if (value === null || value === undefined || value === '') return value
  return { $redacted: mask(typeof value === 'string' ? value : JSON.stringify(value)) } satisfies Redacted
}

/** A configuration as it may leave the console. */
export function maskedConfig(
  config: Readonly<Record<string, string>>,
  mask: Mask,
): Readonly<Record<string, MaskedValue>> {
  return Object.fromEntries(
    Object.entries(config).map(([key, value]) => [
      key,
      isSecretKey(key) && value !== '' ? { $redacted: mask(value) } : value,
    ]),
  )
}

/** A secret was to stay as it is, and is another one by now, or is gone. */
export class SecretChanged extends Error {
  override readonly name = 'SecretChanged'
  readonly code = 'secret_changed'

  constructor(key: string) {
    super(`${key} was changed by somebody else in the meantime. Look at it again before you save.`)
  }
}

/**
 * What was saved, with every mask replaced by what it stands for. Its result is the only thing that may be written to
 * Incus.
 *
 * @param current the configuration as it is now, read right before
 * @throws SecretChanged when a mask is not that of the current value
 */
export function withSecrets(
  saved: Readonly<Record<string, MaskedValue>>,
  current: Readonly<Record<string, string>>,
  mask: Mask,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(saved).map(([key, value]) => {
      if (!isRedacted(value)) return [key, value]
      const secret = Object.hasOwn(current, key) ? current[key] : undefined
      if (secret === undefined || mask(secret) !== value.$redacted) throw new SecretChanged(key)
      return [key, secret]
    }),
  )
}
