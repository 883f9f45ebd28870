// Another identity for the console itself. Each step is kept before the next one begins, so that a console that ends in
// any of them goes on where it was; at every moment the identity in force is one that the cluster trusts:
//
//   made and kept → added to the trust store by the old one → seen to be trusted by every member that answers →
//   kept as the one in force → connections change over, those with the old one end when they are free → old one removed

import { X509Certificate } from 'node:crypto'
import { IncusTrustEntry } from '@malleus/shared/incus/certificate.ts'
import { z } from 'zod'
import { fingerprintOf } from '../clusters/trust.ts'
import type { Gateway } from '../gateway/gateway.ts'
import { saysNotDone } from '../gateway/incus-reply.ts'
import { MemberError } from '../gateway/member-error.ts'
import type { Clock } from '../lib/clock.ts'
import { sleep } from '../lib/clock.ts'
import type { Logger } from '../lib/logger.ts'
import type { KeptIdentity } from './console-identity-store.ts'
import { CannotChangeTrust } from './trust-error.ts'

/** Both PEM. */
export interface IdentityPair {
  readonly certificate: string
  readonly key: string
}

export interface RotationPorts {
  readonly cluster: string
  /** Asks with the identity that is in force. */
  readonly gateway: Pick<Gateway, 'read' | 'write'>
  /** The certificate in force, PEM; null where there is no identity. */
  readonly own: () => string | null
  /** What is kept of an earlier start. */
  readonly kept: KeptIdentity | null
  readonly keep: (kept: KeptIdentity) => Promise<void>
  readonly seal: (identity: IdentityPair) => NonNullable<KeptIdentity['next']>
  readonly open: (identity: NonNullable<KeptIdentity['next']>) => IdentityPair
  readonly make: (name: string) => IdentityPair
  /** Members that answer and do not trust it, each with why; rejects when none answers. */
  readonly doubts: (identity: IdentityPair) => Promise<readonly string[]>
  /** From now on it is in force; resolves when no request is under way with the one before. */
  readonly changeOver: (identity: IdentityPair) => Promise<void>
  readonly record: RotationRecord
  readonly clock: Clock
  readonly logger: Logger
}

/** What the access history is told of a rotation that goes on without the person who began it. */
export interface RotationRecord {
  intent(fingerprint: string): Promise<void>
  outcome(fingerprint: string, outcome: 'done' | 'failed'): void
}

export interface RotationState {
  readonly stage: KeptIdentity['stage']
  /** Why it does not go on now; null while it does, and when there is nothing to do. */
  readonly problem: string | null
}

const againMs = 5_000
/** Another member hears of a new entry within moments. */
const doubtsForMs = 10_000
const doubtEveryMs = 500

export class IdentityRotation {
  readonly #ports: RotationPorts
  readonly #stopped = new AbortController()
  #kept: KeptIdentity
  #problem: string | null = null
  #driving: Promise<void> | null = null

  constructor(ports: RotationPorts) {
    this.#ports = ports
    this.#kept = ports.kept ?? { stage: 'settled', current: null, next: null, leaving: null }
  }

  get state(): RotationState {
    return { stage: this.#kept.stage, problem: this.#problem }
  }

  /** Goes on with what an earlier start had begun. */
  start(): void {
    if (this.#kept.stage !== 'settled') void this.#goOn()
  }

  stop(): void {
    this.#stopped.abort()
  }

  /**
   * Makes another identity and changes over to it. What is not done when this rejects after the new one was made goes on
   * by itself, also in the next process.
   *
   * @throws CannotChangeTrust with the reason, and what the gateway and the store throw
   */
  async rotate(): Promise<void> {
    if (this.#driving !== null || this.#kept.stage !== 'settled') {
      throw new CannotChangeTrust('It is being rotated already.')
    }
    const { seal, make, clock } = this.#ports
    const own = this.#own()
    const entry = await this.#entry(fingerprintIn(own))
    if (entry === null) {
      throw new CannotChangeTrust('The cluster trusts this console for an authority, and not for an entry of its own.')
    }
    if (entry.restricted === true) {
      throw new CannotChangeTrust(
        "The console's own identity is restricted and may add none. Make a token on a server and use malleus add-cluster.",
      )
    }
    await this.#keep({ ...this.#kept, stage: 'adding', next: seal(make(entry.name || 'malleus')), leaving: null })
    try {
      await this.#drive()
    } catch (error) {
      // Read anew: the steps that were made have changed it.
      if (this.state.stage !== 'settled') void sleep(clock, againMs, this.#stopped.signal).then(() => this.#goOn())
      throw error
    }
  }

  /** Tries until it is done. */
  async #goOn(): Promise<void> {
    const { clock, record, logger, cluster } = this.#ports
    const { signal } = this.#stopped
    while (!signal.aborted && this.state.stage !== 'settled') {
      const { next, current } = this.#kept
      const fingerprint = fingerprintIn((next ?? current)?.certificate ?? this.#own())
      try {
        await record.intent(fingerprint)
        await this.#drive()
        record.outcome(fingerprint, 'done')
      } catch (error) {
        record.outcome(fingerprint, 'failed')
        logger.warn({ err: error, cluster, fingerprint }, 'the identity of the console is not rotated yet')
        await sleep(clock, againMs, signal)
      }
    }
  }

  /** Makes the steps that are left, once at a time. */
  #drive(): Promise<void> {
    this.#driving ??= this.#steps().finally(() => (this.#driving = null))
    return this.#driving
  }

  async #steps(): Promise<void> {
    this.#problem = null
    try {
      if (this.#kept.stage === 'adding') await this.#add()
      if (this.#kept.stage === 'removing') await this.#remove()
    } catch (error) {
      this.#problem = error instanceof Error ? error.message : String(error)
      throw error
    }
  }

  async #add(): Promise<void> {
    const { open, changeOver, gateway } = this.#ports
    const { next } = this.#kept
    if (next === null) throw new TypeError('an identity that is being added is kept')
    const fingerprint = fingerprintIn(next.certificate)
    const leaving = fingerprintIn(this.#own())
    // Asked first, so that what was sent by an earlier try is not sent again.
    if ((await this.#entry(fingerprint)) === null) {
      const old = await this.#entry(leaving)
      const name = old?.name || 'malleus'
      const certificate = new X509Certificate(next.certificate).raw.toString('base64')
      const body = { name, type: 'client', restricted: false, projects: [], certificate }
      try {
        await gateway.write({ ...asConsole, method: 'POST', path: '/certificates', body, parse: z.unknown() })
      } catch (error) {
        if (!(error instanceof MemberError && saysNotDone(error))) throw error
        await this.#keep({ ...this.#kept, stage: 'settled', next: null })
        throw new CannotChangeTrust(`The cluster does not take the new identity: ${error.message}`)
      }
    }
    const identity = open(next)
    await this.#untilTrusted(identity)
    await this.#keep({ stage: 'removing', current: next, next: null, leaving })
    await changeOver(identity)
  }

  async #untilTrusted(identity: IdentityPair): Promise<void> {
    const { clock, doubts } = this.#ports
    const end = clock.monotonic() + doubtsForMs
    for (;;) {
      const [doubt] = await doubts(identity)
      if (doubt === undefined) return
      if (clock.monotonic() >= end || this.#stopped.signal.aborted) {
        throw new CannotChangeTrust(`Not every server trusts the new identity yet: ${doubt}`)
      }
      await sleep(clock, doubtEveryMs, this.#stopped.signal)
    }
  }

  async #remove(): Promise<void> {
    const { gateway } = this.#ports
    const { leaving } = this.#kept
    if (leaving !== null && (await this.#entry(leaving)) !== null) {
      await gateway.write({ ...asConsole, method: 'DELETE', path: `/certificates/${leaving}`, parse: z.unknown() })
    }
    await this.#keep({ ...this.#kept, stage: 'settled', leaving: null })
  }

  async #keep(kept: KeptIdentity): Promise<void> {
    await this.#ports.keep(kept)
    this.#kept = kept
  }

  #own(): string {
    const own = this.#ports.own()
    if (own === null) throw new CannotChangeTrust('This console has no identity of its own in the cluster.')
    return own
  }

  async #entry(fingerprint: string): Promise<IncusTrustEntry | null> {
    try {
      const path = `/certificates/${fingerprint}`
      return (await this.#ports.gateway.read({ ...asConsole, class: 'read', path, parse: IncusTrustEntry })).value
    } catch (error) {
      if (error instanceof MemberError && error.status === 404) return null
      throw error
    }
  }
}

const asConsole = { scope: { kind: 'console' }, target: { kind: 'any' } } as const

function fingerprintIn(pem: string): string {
  return fingerprintOf(new X509Certificate(pem))
}
