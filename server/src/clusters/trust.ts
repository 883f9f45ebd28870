// How the console knows that it talks to a member of this cluster: by the fingerprint of the certificate that all
// members share, or by an authority and a name. It only judges what it is shown; `gateway/transport.ts` shows it
// every handshake before a byte of HTTP is written, and drops its connections when the answer could be another one.
//
// Decision, 2026-11-22: a pinned certificate that has expired is still accepted, with the verdict `expired`. The pin
// names the very certificate, so its dates prove nothing more, Incus from 7.0 serves on with an expired one, and a
// console that locks itself out on that day could not help to replace it. With an authority, expired is refused.

import type { X509Certificate } from 'node:crypto'
import { Subscribable } from '../lib/subscribable.ts'

/** A certificate that is expected, by the SHA-256 of its DER form in lower-case hexadecimal. */
export interface Pin {
  readonly fingerprint: string
  /** `next`: announced as successor; accepted like the current one, so that a replacement is no interruption. */
  readonly position: 'current' | 'next'
  /** Where the console has it from, in words: `configuration`, `trust token`, `followed on 2026-11-22`. */
  readonly from: string
}

export type TrustAnchor =
  | { readonly kind: 'fingerprints'; readonly pins: readonly Pin[] }
  | {
      readonly kind: 'ca'
      /** One or more authorities, PEM. */
      readonly certificates: string
      /** The name, or IP address, that every member's certificate has to cover. */
      readonly serverName: string
    }

/**
 * What a presented certificate is. `same` is the current pin and `next` its announced successor; `trusted` is signed
 * by the authority for the name; `expired` is one of these after its last day; `unknown` is everything else.
 */
export type Verdict = 'same' | 'next' | 'trusted' | 'expired' | 'unknown'

/** What OpenSSL found when it verified the presented chain against the authorities and the name. */
export type ChainResult = { readonly ok: true } | { readonly ok: false; readonly code: string }

/**
 * `narrowed`: something accepted before may be refused now, so connections made before are no longer believed.
 * `succeeded`: the successor took its place, and nobody presents the one before any more: what is under way on
 * connections that it opened may end, and nothing new begins on them.
 * `widened`: what was accepted still is.
 */
export type TrustChange = 'narrowed' | 'succeeded' | 'widened'

/** The trust of one cluster. Tells its listeners of each change. */
export class Trust {
  readonly #changes = new Subscribable<TrustChange>()
  #anchor: TrustAnchor

  /** Throws a RangeError when there is no current pin, or a fingerprint is not 64 hexadecimal digits. */
  constructor(anchor: TrustAnchor) {
    this.#anchor = checked(anchor)
  }

  get anchor(): TrustAnchor {
    return this.#anchor
  }

  /**
   * What the certificate is. `chain` only counts with an authority; a pin needs no chain.
   * `now` is wall-clock time in milliseconds.
   */
  judge(certificate: X509Certificate, chain: ChainResult, now: number): Verdict {
    return judgeCertificate(this.#anchor, certificate, chain, now)
  }

  /** Whether anything may be sent to who presents a certificate of this verdict. */
  admits(verdict: Verdict): boolean {
    if (verdict === 'expired') return this.#anchor.kind === 'fingerprints'
    return verdict !== 'unknown'
  }

  /**
   * Accepts one more certificate as the successor of the current one; an earlier successor is forgotten. The caller
   * must have learned it over a connection that the current pin verified. False, and no change, when it is pinned
   * already or an authority vouches.
   */
  follow(fingerprint: string, from: string): boolean {
    const anchor = this.#anchor
    if (anchor.kind === 'ca' || anchor.pins.some((pin) => pin.fingerprint === fingerprint)) return false
    const current = anchor.pins.filter((pin) => pin.position === 'current')
    const narrowed = current.length < anchor.pins.length
    this.#become(
      { kind: 'fingerprints', pins: [...current, { fingerprint, position: 'next', from }] },
      narrowed ? 'narrowed' : 'widened',
    )
    return true
  }

  /**
   * The successor becomes the current pin and the one before is refused from now on. False when there is none.
   *
   * @param moved whether nobody presents the one before any more; else connections that it opened end at once
   */
  advance(moved = false): boolean {
    const anchor = this.#anchor
    if (anchor.kind === 'ca') return false
    const next = anchor.pins.filter((pin) => pin.position === 'next')
    if (next.length === 0) return false
    const pins = next.map((pin) => ({ ...pin, position: 'current' }) as const)
    this.#become({ kind: 'fingerprints', pins }, moved ? 'succeeded' : 'narrowed')
    return true
  }

  /** Accepts the successor no longer. False when there is none. */
  dropNext(): boolean {
    const anchor = this.#anchor
    if (anchor.kind === 'ca') return false
    const current = anchor.pins.filter((pin) => pin.position === 'current')
    if (current.length === anchor.pins.length) return false
    this.#become({ kind: 'fingerprints', pins: current }, 'narrowed')
    return true
  }

  /** Puts another anchor in place of this one. Connections made before are not believed any more. */
  replace(anchor: TrustAnchor): void {
    this.#become(anchor, 'narrowed')
  }

  /** Returns what ends it. */
  subscribe(listener: (change: TrustChange) => void): () => void {
    return this.#changes.subscribe(listener)
  }

  #become(anchor: TrustAnchor, change: TrustChange): void {
    this.#anchor = checked(anchor)
    this.#changes.publish(change)
  }
}

/** SHA-256 of the DER form, lower-case hexadecimal without colons, as Incus writes fingerprints. */
export function fingerprintOf(certificate: X509Certificate): string {
  return certificate.fingerprint256.replaceAll(':', '').toLowerCase()
}

function judgeCertificate(anchor: TrustAnchor, certificate: X509Certificate, chain: ChainResult, now: number): Verdict {
  if (anchor.kind === 'ca') {
    if (chain.ok) return 'trusted'
    return chain.code === 'CERT_HAS_EXPIRED' ? 'expired' : 'unknown'
  }
  const fingerprint = fingerprintOf(certificate)
  const pin = anchor.pins.find((pin) => pin.fingerprint === fingerprint)
  if (pin === undefined) return 'unknown'
  if (certificate.validToDate.getTime() <= now) return 'expired'
  return pin.position === 'current' ? 'same' : 'next'
}

function checked(anchor: TrustAnchor): TrustAnchor {
  if (anchor.kind === 'ca') return anchor
  for (const { fingerprint } of anchor.pins) {
    if (!/^[0-9a-f]{64}$/.test(fingerprint)) {
      throw new RangeError(`"${fingerprint}" is not a SHA-256 fingerprint of 64 lower-case hexadecimal digits`)
    }
  }
  if (!anchor.pins.some((pin) => pin.position === 'current')) throw new RangeError('there is no current pin')
  return anchor
}
