/**
 * Private keys that are made here and wait for the certificate that an authority signs: never shown, sealed in the
 * database, deleted when they are used or after fourteen days.
 */
import { createHash, createPrivateKey, createPublicKey, generateKeyPair } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { isIP } from 'node:net'
import { promisify } from 'node:util'
import type { PreparedKey } from '@malleus/shared/api/certificate-replacement.ts'
import type { Clock } from '../lib/clock.ts'
import { instant } from '../lib/clock.ts'
import type { Random } from '../lib/random.ts'
import { writeSigningRequest } from '../lib/x509-writer.ts'
import { openSecret, sealSecret } from '../secrets/seal.ts'
import { CannotReplace } from './cannot-replace.ts'
import type { PreparedKeyStore } from './prepared-key-store.ts'

export interface PreparedKeysOptions {
  readonly cluster: string
  readonly store: PreparedKeyStore
  /** 32 bytes that are not in the database. */
  readonly serverKey: Uint8Array
  readonly clock: Clock
  readonly random: Random
}

export interface WantedKey {
  readonly subject: string
  readonly names: readonly string[]
  readonly curve: 'P-256' | 'P-384'
}

export class PreparedKeys {
  readonly #options: PreparedKeysOptions

  constructor(options: PreparedKeysOptions) {
    this.#options = options
  }

  /** Those that wait; the others are deleted on the way. */
  async list(): Promise<readonly PreparedKey[]> {
    const { store, cluster, clock } = this.#options
    const all = await store.list(cluster)
    const over = all.filter(({ until }) => Date.parse(until) <= clock.now())
    for (const { id } of over) await store.remove(cluster, id)
    return all.filter((prepared) => !over.includes(prepared))
  }

  /** @throws CannotReplace for a name that no certificate can have, or when too many wait already. */
  async prepare({ subject, names, curve }: WantedKey): Promise<PreparedKey> {
    const { store, cluster, serverKey, clock, random } = this.#options
    const wrong = names.find((name) => isIP(name) === 0 && !DNS_NAME.test(name))
    if (wrong !== undefined) throw new CannotReplace(`"${wrong}" is neither a DNS name nor an address.`)
    if ((await this.list()).length >= MOST_WAITING) {
      throw new CannotReplace(
        `${MOST_WAITING} keys wait for their certificate already. Delete those that are not needed.`,
      )
    }
    const { privateKey } = await promisify(generateKeyPair)('ec', { namedCurve: curve })
    const id = keyIdOf(createPublicKey(privateKey))
    const now = clock.now()
    const prepared: PreparedKey = {
      id,
      request: writeSigningRequest({ subject, key: privateKey, names, usages: ['server'] }),
      subject,
      names: [...names],
      key: `ECDSA ${curve}`,
      madeAt: instant(now),
      until: instant(now + KEPT_MS),
    }
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    await store.add(cluster, prepared, sealSecret(pem, this.#context(id), serverKey, random))
    return prepared
  }

  /** The private key to a certificate's public one, if it waits here. */
  async find(publicKey: KeyObject): Promise<KeyObject | undefined> {
    const { store, cluster, serverKey } = this.#options
    const id = keyIdOf(publicKey)
    if (!(await this.list()).some((prepared) => prepared.id === id)) return undefined
    const sealed = await store.sealed(cluster, id)
    const pem = sealed && openSecret(sealed, this.#context(id), serverKey)
    return pem === undefined ? undefined : createPrivateKey(pem)
  }

  /** It was used, or is not wanted any more. */
  async discard(id: string): Promise<void> {
    await this.#options.store.remove(this.#options.cluster, id)
  }

  #context(id: string): string {
    return `certificate key ${JSON.stringify([this.#options.cluster, id])}`
  }
}

/** SHA-256 of the public key in its DER form. */
export function keyIdOf(publicKey: KeyObject): string {
  return createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex')
}

const KEPT_MS = 14 * 86_400_000
const MOST_WAITING = 10
const DNS_NAME = /^(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i
