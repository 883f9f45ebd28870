import { createPublicKey, X509Certificate } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { rootCertificates } from 'node:tls'
import type { CertificateCheck, PreparedKey, Replacement } from '@malleus/shared/api/certificate-replacement.ts'
import { z } from 'zod'
import type { Trust } from '../clusters/trust.ts'
import { fingerprintOf } from '../clusters/trust.ts'
import type { Gateway } from '../gateway/gateway.ts'
import { MemberError, OutcomeUnknown } from '../gateway/member-error.ts'
import type { Answer, WriteRequest } from '../gateway/request.ts'
import type { Clock } from '../lib/clock.ts'
import { instant } from '../lib/clock.ts'
import type { Logger } from '../lib/logger.ts'
import type { Random } from '../lib/random.ts'
import { CannotReplace } from './cannot-replace.ts'
import type { NeededName } from './names-needed.ts'
import type { ClusterFacts } from './preflight.ts'
import { isRefused, preflight } from './preflight.ts'
import { keyIdOf } from './prepared-keys.ts'
import type { PreparedKeys } from './prepared-keys.ts'
import type { CertificateBundle } from './read-bundle.ts'
import { BundleUnreadable, presentablePem, readBundle, samePublicKey } from './read-bundle.ts'
import type { ReplacementStore } from './replacement-store.ts'
import type { KeptReplacement, MemberShows, ReplacementAnswer } from './replacement.ts'
import { answerReplacement, beginReplacement, lookAtReplacement, replacementView } from './replacement.ts'
import type { TrustFollower } from './trust-follow.ts'

export interface ReplacementsOptions {
  readonly cluster: string
  readonly gateway: Pick<Gateway, 'write'>
  readonly trust: Pick<Trust, 'anchor'>
  readonly follower: Pick<TrustFollower, 'expect' | 'dropNext' | 'presentedChanged'>
  readonly facts: () => ReplacementFacts
  /** What each member presents at this moment. */
  readonly shows: () => readonly MemberShows[]
  /** Asks a member for a handshake now. */
  readonly lookAt: (member: string) => void
  /** Hears of each member that presents another certificate than before. */
  readonly onPresented: (listener: () => void) => () => void
  /** Reads again what the servers say of themselves. */
  readonly refresh: () => void
  readonly keys: PreparedKeys
  readonly store: Pick<ReplacementStore, 'latest' | 'write'>
  /** It goes on, or ended. */
  readonly onChange: () => void
  /** For the access history: it is known what became of it. */
  readonly onEnd: (replacement: KeptReplacement) => void
  readonly clock: Clock
  readonly random: Pick<Random, 'uuid'>
  readonly logger: Logger
}

export interface ReplacementFacts {
  /** What the cluster has, with what signed it. */
  readonly current: { readonly certificate: X509Certificate; readonly chain: readonly X509Certificate[] } | null
  readonly needed: readonly NeededName[]
  readonly cluster: ClusterFacts
  /** Whether its servers answer and do not find each other. */
  readonly dark: boolean
}

/** Who asks, and what for. */
export interface ReplacementAsker extends Pick<WriteRequest<unknown>, 'scope' | 'target' | 'signal'> {
  readonly name: string
  readonly requestId: string
}

export interface GivenText {
  readonly certificate: string
  readonly key: string
}

export interface Checked {
  readonly bundle: CertificateBundle | null
  readonly key: 'given' | 'prepared' | 'missing'
  readonly checks: readonly CertificateCheck[]
}

/** A certificate with its key, in memory only. */
interface Sendable {
  readonly pem: string
  readonly key: KeyObject
}

/**
 * Replaces the certificate of one cluster: looks at it first, sends it once, and watches by the console's own handshakes
 * which server takes it. Private keys are in memory for as long as they may be needed to repair what went wrong.
 */
export class Replacements {
  readonly #options: ReplacementsOptions
  /** By fingerprint of the certificate. */
  readonly #held = new Map<string, Sendable>()
  #latest: KeptReplacement | null = null
  /** As it was last written. */
  #written = ''
  #ends: (() => void)[] = []

  constructor(options: ReplacementsOptions) {
    this.#options = options
  }

  /** Goes on with what an earlier run of the console had begun. Never rejects. */
  async start(): Promise<void> {
    const { store, cluster, clock, logger } = this.#options
    try {
      const kept = await store.latest(cluster)
      // Somebody may have begun another one while this was read.
      if (this.#latest !== null || kept === null) return
      const interrupted = kept.answer.kind === 'waiting' && kept.endedAt === null
      const message = 'This console was stopped while it waited for the answer.'
      const lost: ReplacementAnswer = { kind: 'none', at: instant(clock.now()), message }
      this.#latest = interrupted ? answerReplacement(kept, lost) : kept
      if (this.#latest.endedAt === null) this.#watch()
    } catch (error) {
      logger.warn({ err: error, cluster }, 'the latest replacement of the certificate could not be read')
    }
  }

  stop(): void {
    for (const end of this.#ends.splice(0)) end()
    this.#held.clear()
  }

  get isRunning(): boolean {
    return this.#latest !== null && this.#latest.endedAt === null
  }

  async view(): Promise<{ latest: Replacement | null; prepared: readonly PreparedKey[] }> {
    return { latest: this.#view(), prepared: await this.#options.keys.list() }
  }

  /** What would become of it. Keeps nothing. */
  async check(given: GivenText): Promise<Checked> {
    const { checked } = await this.#examine(given)
    return checked
  }

  /** @throws CannotReplace when something forbids it or one is under way, and what the gateway throws */
  async replace(by: ReplacementAsker, given: GivenText): Promise<Answer<Replacement>> {
    const { checked, sendable } = await this.#examine(given)
    const reasons = checked.checks.filter(({ verdict }) => verdict === 'cannot').map(({ text }) => text)
    if (isRefused(checked.checks) || sendable === null) throw new CannotReplace(reasons.join(' '))
    return this.#send(by, sendable)
  }

  /** Sends the last one once more, or the one before it. @throws CannotReplace when its key is not there any more */
  async repeat(by: ReplacementAsker, what: 'again' | 'old-back'): Promise<Answer<Replacement>> {
    const latest = this.#latest
    const wanted = what === 'again' ? latest?.fingerprint : latest?.before?.fingerprint
    const sendable = wanted === undefined ? undefined : this.#held.get(wanted)
    if (sendable === undefined) {
      throw new CannotReplace('The console does not have its private key any more: give the certificate and its key.')
    }
    const { cluster } = this.#options.facts()
    if (cluster.databaseAvailable === false) throw new CannotReplace('The cluster database does not answer.')
    return this.#send(by, sendable)
  }

  async #examine(given: GivenText): Promise<{ checked: Checked; sendable: Sendable | null }> {
    let bundle: CertificateBundle
    try {
      bundle = readBundle(`${given.certificate}\n${given.key}`)
    } catch (error) {
      if (!(error instanceof BundleUnreadable)) throw error
      const checks = [{ id: 'readable', verdict: 'cannot', text: error.message } as const]
      return { checked: { bundle: null, key: given.key.trim() === '' ? 'missing' : 'given', checks }, sendable: null }
    }
    const { leaf } = bundle
    const prepared = bundle.key === null ? await this.#options.keys.find(leaf.publicKey) : undefined
    const key = bundle.key ?? prepared ?? null
    const matches = key !== null && samePublicKey(leaf.publicKey, createPublicKey(key))
    const checks = this.#preflight(bundle, key === null ? 'missing' : matches ? 'matches' : 'differs')
    const where = bundle.key !== null ? 'given' : prepared === undefined ? 'missing' : 'prepared'
    const sendable = key !== null && matches ? { pem: presentablePem(bundle), key } : null
    return { checked: { bundle, key: where, checks }, sendable }
  }

  #preflight(bundle: CertificateBundle, key: 'matches' | 'differs' | 'missing'): CertificateCheck[] {
    const { facts, trust, clock } = this.#options
    const { anchor } = trust
    const { current, needed, cluster } = facts()
    return preflight({
      bundle,
      key,
      current: current?.certificate ?? null,
      publicRoots: publicRootsNamed((bundle.chain.at(-1) ?? bundle.leaf).issuer),
      anchor,
      authorities: anchor.kind === 'ca' ? certificatesIn(anchor.certificates) : [],
      needed,
      cluster,
      now: clock.now(),
    })
  }

  async #send({ name, requestId, ...by }: ReplacementAsker, { pem, key }: Sendable): Promise<Answer<Replacement>> {
    const { follower, clock, random, gateway, shows, facts } = this.#options
    if (this.isRunning) throw new CannotReplace('A replacement is under way already: wait for what becomes of it.')
    const fingerprint = fingerprintOf(new X509Certificate(pem))
    const { current } = facts()
    const before = current && {
      fingerprint: fingerprintOf(current.certificate),
      pem: [current.certificate, ...current.chain].map(String).join(''),
    }
    const earlier = this.#latest
    const begun = { id: random.uuid(), by: name, requestId, fingerprint, pem, before }
    this.#latest = beginReplacement(begun, shows(), clock.now())
    try {
      // What was asked for is known before it is asked: else an interrupted console would not know what to look for.
      await this.#write()
    } catch (error) {
      this.#latest = earlier
      throw error
    }
    this.#hold(fingerprint, { pem, key })
    // Accepted before anybody presents it, so that no server is a stranger for a moment.
    follower.expect(fingerprint, `replacement by ${name} on ${instant(clock.now()).slice(0, 10)}`)
    this.#watch()
    return this.#ask(() =>
      gateway.write({
        ...by,
        method: 'PUT',
        path: '/cluster/certificate',
        body: { cluster_certificate: pem, cluster_certificate_key: pemOf(key) },
        parse: z.unknown(),
      }),
    )
  }

  async #ask(send: () => Promise<Answer<unknown>>): Promise<Answer<Replacement>> {
    const { clock, refresh } = this.#options
    try {
      const answer = await send()
      this.#answered({ kind: 'taken', at: instant(clock.now()), via: answer.via })
      refresh()
      const value = this.#view()
      if (value === null) throw new TypeError('a replacement that was answered is there')
      return { ...answer, value }
    } catch (error) {
      const { answer, thrown } = answerIn(error, instant(clock.now()))
      this.#answered(answer)
      throw thrown
    }
  }

  #answered(answer: ReplacementAnswer): void {
    if (this.#latest === null) return
    this.#latest = answerReplacement(this.#latest, answer)
    this.#look()
  }

  /** Follows what members present until that is decided: soon at first, and patiently when it takes long. */
  #watch(): void {
    const { clock, onPresented, lookAt, shows } = this.#options
    const startedAt = clock.monotonic()
    let cancel = (): void => {}
    const again = (): void => {
      this.#look()
      if (!this.isRunning) return
      const wait = this.#latest?.rows.filter(({ presents }) => presents !== 'new') ?? []
      for (const { member } of wait) lookAt(member)
      // Handshakes cost members something: fifty of them are not asked four times a second.
      const soonMs = Math.max(SOON_MS, shows().length * 10)
      cancel = clock.after(clock.monotonic() - startedAt < SOON_FOR_MS ? soonMs : LATER_MS, again)
    }
    this.#ends.push(
      onPresented(() => this.#look()),
      () => cancel(),
    )
    again()
  }

  #look(): void {
    const { shows, clock, onChange, logger, cluster } = this.#options
    if (this.#latest === null || this.#latest.endedAt !== null) return
    this.#latest = lookAtReplacement(this.#latest, shows(), clock.now())
    if (this.#latest.endedAt !== null) this.#ended(this.#latest)
    if (essenceOf(this.#latest) === this.#written) return
    this.#write().catch((error: unknown) => logger.warn({ err: error, cluster }, 'a replacement is not kept'))
    onChange()
  }

  #ended(replacement: KeptReplacement): void {
    const { follower, keys, refresh, onEnd, logger, cluster } = this.#options
    for (const end of this.#ends.splice(0)) end()
    const { verdict, fingerprint, pem } = replacement
    logger.warn({ cluster, fingerprint, verdict }, 'what became of a replacement of the certificate is known')
    if (verdict === 'done') {
      keys
        .discard(keyIdOf(new X509Certificate(pem).publicKey))
        .catch((error: unknown) => logger.warn({ err: error, cluster }, 'a key that was used is not deleted yet'))
      follower.presentedChanged()
    }
    if (verdict === 'not-done') follower.dropNext(fingerprint)
    refresh()
    onEnd(replacement)
  }

  async #write(): Promise<void> {
    const latest = this.#latest
    if (latest === null) return
    this.#written = essenceOf(latest)
    await this.#options.store.write(this.#options.cluster, latest)
  }

  /** For an hour: as long as somebody may want to send it again, or put it back. */
  #hold(fingerprint: string, sendable: Sendable): void {
    this.#held.set(fingerprint, sendable)
    this.#options.clock.after(HELD_MS, () => {
      if (this.#held.get(fingerprint) === sendable) this.#held.delete(fingerprint)
    })
  }

  #view(): Replacement | null {
    const latest = this.#latest
    if (latest === null) return null
    const recent = latest.endedAt !== null && this.#options.clock.now() - Date.parse(latest.endedAt) < HELD_MS
    const dark = recent && latest.verdict !== 'not-done' && this.#options.facts().dark
    return replacementView(latest, { dark, offers: recent ? this.#offers(latest, dark) : [] })
  }

  #offers({ verdict, fingerprint, before }: KeptReplacement, dark: boolean): Replacement['offers'] {
    // A cluster that is dark takes nothing through its API; the commands for its sockets are what is left.
    if (dark) return []
    const again = verdict !== 'done' && this.#held.has(fingerprint)
    const back = verdict !== 'not-done' && before !== null && this.#held.has(before.fingerprint)
    return [...(again ? (['push-again'] as const) : []), ...(back ? (['push-old-back'] as const) : [])]
  }
}

const SOON_MS = 250
const SOON_FOR_MS = 60_000
const LATER_MS = 2_000
const HELD_MS = 3_600_000

/** What is worth writing and telling: not that it was seen once more. */
function essenceOf(replacement: KeptReplacement): string {
  return JSON.stringify({ ...replacement, rows: replacement.rows.map((row) => ({ ...row, seenAt: null })) })
}

/**
 * What a failure says of the outcome. Incus's own "no" may come after it had begun, and it then puts back what it did
 * (incus `cmd/incusd/api_cluster.go`, `updateClusterCertificate`): it is an answer, and the handshakes show the rest.
 */
function answerIn(error: unknown, at: string): { readonly answer: ReplacementAnswer; readonly thrown: unknown } {
  const said = error instanceof OutcomeUnknown ? error.cause : error
  const message = said instanceof Error ? said.message : String(said)
  const isAnswer = said instanceof MemberError && said.kind === 'incus'
  if (error instanceof OutcomeUnknown && !isAnswer) return { answer: { kind: 'none', at, message }, thrown: error }
  return { answer: { kind: 'refused', at, message }, thrown: said }
}

function pemOf(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString()
}

function certificatesIn(pem: string): X509Certificate[] {
  return pem
    .split(/(?<=-----END CERTIFICATE-----)\s*/)
    .flatMap((text) => (text.trim() === '' ? [] : [new X509Certificate(text)]))
}

/** Of the authorities that Node knows, those that could have signed it. */
function publicRootsNamed(subject: string): X509Certificate[] {
  return rootCertificates.map((pem) => new X509Certificate(pem)).filter((root) => root.subject === subject)
}
