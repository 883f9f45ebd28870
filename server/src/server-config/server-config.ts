// The configuration of the servers, read and written whole.
//
// Decision, 2026-11-22: never PATCH. Up to 6.0.5 a PATCH of /1.0 that fails is taken back by replacing the stored
// configuration with what the request held, so that one rejected value erases all other settings, addresses included
// (incus v6.0.4 `cmd/incusd/api_1.0.go`, `doApi10Update`). A PUT of all settings is taken back to all settings. For the
// same reason a setting is cleared by sending it empty and not by leaving it out. The whole configuration is read right
// before, from the server that is then asked to write it, because each has settings of its own; If-Match makes Incus
// refuse when it is not that any more.

import type { MaskedValue } from '@malleus/shared/domain/redacted.ts'
import { IncusServer } from '@malleus/shared/incus/server.ts'
import { z } from 'zod'
import type { Gateway } from '../gateway/gateway.ts'
import { MemberError, OutcomeUnknown } from '../gateway/member-error.ts'
import type { Answer } from '../gateway/request.ts'
import type { Scope } from '../gateway/scope.ts'
import type { Clock } from '../lib/clock.ts'
import { sleep } from '../lib/clock.ts'
import type { Mask } from '../secrets/mask.ts'
import { maskedConfig, withSecrets } from '../secrets/mask.ts'
import { inForce, knownKey } from './known-keys.ts'
import { CannotChange, ChangedMeanwhile, SettingsLost } from './server-config-error.ts'

export interface ServerConfigPorts {
  readonly gateway: Pick<Gateway, 'read' | 'write'>
  /** Why nothing may be written now, as a sentence for people; null while it may. */
  readonly whyNotNow: () => string | null
  readonly mask: Mask
  readonly clock: Clock
}

/** What a server says of its settings: its own, and the cluster's. */
export interface SettingsRead {
  readonly config: Readonly<Record<string, string>>
  readonly etag: string
  readonly extensions: readonly string[]
  readonly version: string | null
  /** The server that answered. */
  readonly via: string
}

/** A change of some settings; all others stay as they are. */
export interface WantedSettings {
  /** The new value of each key; null clears it. A mask means: as it is. */
  readonly settings: Readonly<Record<string, MaskedValue | null>>
  /**
   * What was shown of keys when the change was decided on, masked; null for a key that was not set. If one of them is
   * something else by now, nothing is changed.
   */
  readonly shown?: Readonly<Record<string, MaskedValue | null>>
  /** The server whose own settings are changed, or which is to carry the change out. Needed for local keys. */
  readonly member?: string
  /** How long Incus may take for its answer. Default 15 s; afterwards the settings are read until they tell. */
  readonly deadlineMs?: number
  /**
   * Whether settings that are as they were to be tell, after an answer that did not come, that the change was made.
   * Default: they do. Not so where Incus does something with them that can fail, such as ordering a certificate.
   */
  readonly settingsTell?: boolean
  readonly signal?: AbortSignal
}

/** The keys that were to be changed, before and after, as they may be shown; null where a key is not set. */
export interface SettingsChanged {
  readonly before: Readonly<Record<string, MaskedValue | null>>
  readonly after: Readonly<Record<string, MaskedValue | null>>
  /** False when everything was so already, and nothing was sent. */
  readonly written: boolean
  readonly answer: Pick<Answer<unknown>, 'via' | 'attempts' | 'hedged'>
}

/** After an answer that did not come, how long and how often the settings are looked at. */
const lookForMs = 10_000
const lookEveryMs = 1_000
const answerWithinMs = 15_000
/** How often somebody else may come between reading and writing. */
const mostTries = 3

/** The settings of the servers of one cluster. */
export class ServerConfig {
  readonly #ports: ServerConfigPorts

  constructor(ports: ServerConfigPorts) {
    this.#ports = ports
  }

  /**
   * All settings as one server has them, secrets included: for deciding, never for showing.
   *
   * @param member whose own settings are read; default: any server
   * @throws CannotChange when the person may not see them, and what the gateway throws
   */
  async read(scope: Scope, member?: string, signal?: AbortSignal): Promise<SettingsRead> {
    const { value, etag, via } = await this.#ports.gateway.read({
      class: 'read',
      scope,
      target: member === undefined ? { kind: 'any' } : { kind: 'member', name: member },
      path: '',
      parse: IncusServer,
      ...(signal && { signal }),
    })
    const config = Settings.parse(value.config)
    // Who may not see the settings is told that there are none; written back, that would clear them all.
    if (etag === null || addressKeys.every((key) => (config[key] ?? '') === '')) throw new CannotChange(notVisible)
    return {
      config,
      etag,
      extensions: value.api_extensions ?? [],
      version: value.environment?.server_version ?? null,
      via,
    }
  }

  /** What was read, as it may be shown. */
  masked({ config }: SettingsRead): Readonly<Record<string, MaskedValue>> {
    return maskedConfig(config, this.#ports.mask)
  }

  /**
   * Changes some settings and loses none. To be called by a handler whose route is recorded, wants a step-up and is for
   * administrators; asked again after it was done, it changes nothing.
   *
   * @throws CannotChange for a key that is not changed from here, that this version of Incus does not have, or while a
   *   server hangs; ChangedMeanwhile and SecretChanged when somebody else was quicker; SettingsLost; and what the gateway
   *   throws, such as Incus's own refusal of a value, or OutcomeUnknown when neither an answer came nor the settings told.
   */
  async change(scope: Scope, wanted: WantedSettings): Promise<SettingsChanged> {
    for (let tries = 1; ; tries += 1) {
      const { now, next } = await this.#plan(scope, wanted)
      const isSame = Object.keys(wanted.settings).every((key) => inForce(next, key) === inForce(now.config, key))
      const before = this.#shown(wanted, now.config)
      if (isSame) {
        return { before, after: before, written: false, answer: { via: now.via, attempts: 1, hedged: false } }
      }
      try {
        const answer = await this.#write(scope, wanted, now, next)
        return { before, after: this.#shown(wanted, next), written: true, answer }
      } catch (error) {
        const isOutdated = error instanceof MemberError && error.status === 412
        if (!isOutdated || tries >= mostTries) throw error
      }
    }
  }

  /**
   * Whether a change may be made as things are: throws what `change` would before it sends anything, and gives the
   * settings as they are.
   */
  async check(scope: Scope, wanted: WantedSettings): Promise<SettingsRead> {
    return (await this.#plan(scope, wanted)).now
  }

  async #plan(
    scope: Scope,
    wanted: WantedSettings,
  ): Promise<{ readonly now: SettingsRead; readonly next: Readonly<Record<string, string>> }> {
    refuseUnknown(wanted)
    const whyNot = this.#ports.whyNotNow()
    if (whyNot !== null) throw new CannotChange(whyNot)
    const now = await this.read(scope, wanted.member, wanted.signal)
    refuseUnsupported(wanted, now)
    this.#refuseOutdated(wanted, now.config)
    return { now, next: withSecrets(merged(now.config, wanted.settings), now.config, this.#ports.mask) }
  }

  async #write(
    scope: Scope,
    { deadlineMs = answerWithinMs, settingsTell = true, signal }: WantedSettings,
    now: SettingsRead,
    next: Readonly<Record<string, string>>,
  ): Promise<SettingsChanged['answer']> {
    try {
      return await this.#ports.gateway.write({
        scope,
        target: { kind: 'member', name: now.via },
        method: 'PUT',
        path: '',
        body: { config: next },
        ifMatch: now.etag,
        parse: z.unknown(),
        deadlineMs,
        ...(signal && { signal }),
      })
    } catch (error) {
      if (error instanceof OutcomeUnknown && settingsTell) return this.#findOut(scope, now, next, error, signal)
      if (error instanceof MemberError && error.kind === 'incus' && error.status !== 412) {
        await this.#refuseLoss(scope, now, next, error)
      }
      throw error
    }
  }

  /** Incus stores before it does anything else, so settings that are as they were to be tell that they were written. */
  async #findOut(
    scope: Scope,
    now: SettingsRead,
    next: Readonly<Record<string, string>>,
    unknown: OutcomeUnknown,
    signal?: AbortSignal,
  ): Promise<SettingsChanged['answer']> {
    const { clock } = this.#ports
    const end = clock.monotonic() + lookForMs
    for (;;) {
      const seen = await this.read(scope, now.via, signal).catch(() => null)
      if (seen !== null && differing(next, seen.config).length === 0) {
        return { via: now.via, attempts: unknown.attempts, hedged: false }
      }
      if (clock.monotonic() >= end || signal?.aborted === true) throw unknown
      await sleep(clock, lookEveryMs, signal)
    }
  }

  async #refuseLoss(
    scope: Scope,
    now: SettingsRead,
    next: Readonly<Record<string, string>>,
    cause: MemberError,
  ): Promise<void> {
    const seen = await this.read(scope, now.via).catch(() => null)
    if (seen === null) return
    // What was to be changed may be either: some releases keep what they could not carry out.
    const lost = differing(now.config, seen.config).filter((key) => inForce(next, key) === inForce(now.config, key))
    if (lost.length > 0) throw new SettingsLost(lost, cause)
  }

  #refuseOutdated({ shown = {} }: WantedSettings, config: SettingsRead['config']): void {
    const now = maskedConfig(config, this.#ports.mask)
    for (const [key, value] of Object.entries(shown)) {
      if (JSON.stringify(value ?? '') !== JSON.stringify(now[key] ?? '')) throw new ChangedMeanwhile(key)
    }
  }

  #shown({ settings }: WantedSettings, config: Readonly<Record<string, string>>): SettingsChanged['before'] {
    const shown = maskedConfig(config, this.#ports.mask)
    return Object.fromEntries(
      Object.keys(settings).map((key) => [key, shown[key] === '' ? null : (shown[key] ?? null)]),
    )
  }
}

/** Incus says all values as text. */
const Settings = z.record(z.string(), z.string())

/** One of them is always set on a server that answers over the network. */
const addressKeys = ['core.https_address', 'cluster.https_address']

const notVisible =
  'Incus does not show you the configuration of the servers, so it cannot be changed without losing the rest of it.'

function refuseUnknown({ settings, member }: WantedSettings): void {
  for (const key of Object.keys(settings)) {
    const known = knownKey(key)
    if (known === undefined) throw new CannotChange(`${key} is not a setting that is changed from here.`)
    if (known.scope === 'local' && member === undefined) {
      throw new CannotChange(`Each server has its own ${key}: choose the server.`)
    }
  }
}

function refuseUnsupported({ settings }: WantedSettings, { extensions, version }: SettingsRead): void {
  for (const [key, value] of Object.entries(settings)) {
    const extension = knownKey(key)?.extension
    if (value === null || extension === undefined || extensions.includes(extension)) continue
    throw new CannotChange(`Incus ${version ?? ''} has no ${key} yet.`.replace('  ', ' '))
  }
}

function merged(
  config: SettingsRead['config'],
  settings: WantedSettings['settings'],
): Readonly<Record<string, MaskedValue>> {
  const changed = Object.entries(settings).flatMap(([key, value]): [string, MaskedValue][] => {
    // What is not set need not be cleared, and a version that does not know it would refuse it.
    if (value === null || value === '') return Object.hasOwn(config, key) ? [[key, '']] : []
    return [[key, value]]
  })
  return { ...config, ...Object.fromEntries(changed) }
}

/** Keys under which something else is in force. */
function differing(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): readonly string[] {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((key) => inForce(a, key) !== inForce(b, key))
}
