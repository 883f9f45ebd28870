import type { AcmeCheck, AcmeOrder, AcmeSettings, AcmeView } from '@malleus/shared/api/acme.ts'
import type { Operation } from '@malleus/shared/api/operations.ts'
import { IncusWarnings } from '@malleus/shared/incus/warning.ts'
import type { Gateway } from '../gateway/gateway.ts'
import { MemberError } from '../gateway/member-error.ts'
import type { Scope } from '../gateway/scope.ts'
import { scopeKey } from '../gateway/scope.ts'
import type { Clock } from '../lib/clock.ts'
import type { Logger } from '../lib/logger.ts'
import type { LastTold } from '../lists/last-told.ts'
import type { ServerConfig, SettingsRead } from '../server-config/server-config.ts'
import { CannotChange } from '../server-config/server-config-error.ts'
import type { AcmeOrders } from './acme-orders.ts'
import { changesTo, changesToOrderAgain, settingsFrom } from './acme-settings.ts'
import type { AcmeFacts } from './acme-view.ts'
import { acmeView } from './acme-view.ts'
import type { ChallengeAnswer } from './challenge-probe.ts'
import type { CheckedAgainst } from './check-acme.ts'
import { checkSettings } from './check-acme.ts'
import { secretsIn } from './lego-words.ts'

/** What Incus says to one person or role. */
export interface ToldAcme {
  /** Masked, with the values that must not be in anything that is shown; `hidden` from who may not see them. */
  readonly settings:
    | (Pick<SettingsRead, 'extensions' | 'via'> & Pick<AcmeFacts, 'secrets'> & { readonly config: Masked })
    | 'hidden'
  readonly warnings: readonly string[]
}

type Masked = Exclude<AcmeFacts['config'], string>

export interface AcmePorts {
  readonly gateway: Pick<Gateway, 'read'>
  readonly serverConfig: ServerConfig
  /** What Incus told to whom. */
  readonly told: LastTold<ToldAcme>
  readonly orders: AcmeOrders
  readonly renewals: () => Promise<readonly Operation[]>
  /** What the cluster says is its certificate, PEM; null while it is not known. */
  readonly certificate: () => string | null
  readonly leader: () => string | null
  readonly servers: () => CheckedAgainst['servers']
  readonly follows: boolean
  readonly probe: (domain: string) => Promise<readonly ChallengeAnswer[]>
  readonly clock: Clock
  readonly logger: Logger
}

/** Who asks, and what the history has of it. */
export interface Asker {
  readonly scope: Scope
  readonly name: string
  readonly begun: unknown
}

/** How the servers of one cluster get their certificate from an ACME authority. */
export class Acme {
  readonly #ports: AcmePorts

  constructor(ports: AcmePorts) {
    this.#ports = ports
  }

  /**
   * What Incus says now, or said last where it is late; `via`: who answered, where it is of now. Rejects only when Incus
   * refuses it to this person.
   */
  async view(scope: Scope): Promise<{ readonly view: AcmeView; readonly via: string | null }> {
    const { told, orders, renewals, certificate, leader, clock } = this.#ports
    const [{ value, freshness }, known] = await Promise.all([
      told.read(scopeKey(scope), '', () => this.#ask(scope)),
      renewals(),
    ])
    const settings = value?.settings ?? 'unknown'
    const read = typeof settings === 'string' ? null : settings
    const view = acmeView({
      freshness,
      config: typeof settings === 'string' ? settings : settings.config,
      extensions: read?.extensions ?? [],
      certificate: certificate(),
      renewals: known,
      warnings: value?.warnings ?? [],
      secrets: read?.secrets ?? [],
      order: orders.latest,
      leader: leader(),
      now: clock.now(),
    })
    return { view, via: freshness.kind === 'fresh' && read !== null ? read.via : null }
  }

  /** An order has come further, and with it what the servers say: whoever looks next asks anew. */
  changed(): void {
    this.#ports.told.changed()
  }

  async #ask(scope: Scope): Promise<ToldAcme> {
    const { serverConfig } = this.#ports
    const [settings, warnings] = await Promise.all([
      serverConfig.read(scope).catch((error: unknown) => {
        if (error instanceof CannotChange) return 'hidden' as const
        throw error
      }),
      this.#warnings(scope),
    ])
    if (settings === 'hidden') return { settings, warnings }
    const { extensions, via } = settings
    const config = serverConfig.masked(settings)
    return { settings: { config, secrets: secretsIn(settings.config), extensions, via }, warnings }
  }

  /** Asks the domains where an authority would, and says what that and the rest is worth. */
  async check(scope: Scope, settings: AcmeSettings): Promise<readonly AcmeCheck[]> {
    const { serverConfig, servers, leader, follows, probe } = this.#ports
    const read = await serverConfig.read(scope)
    const asked = settings.challenge === 'HTTP-01' ? settings.domains : []
    const answers = await Promise.all(asked.map(async (domain) => [domain, await probe(domain)] as const))
    return checkSettings(settings, {
      configured: settingsFrom(serverConfig.masked(read))?.domains ?? [],
      can: {
        account: read.extensions.includes('acme_eab'),
        dns: read.extensions.includes('acme_dns01'),
        severalDomains: read.extensions.includes('acme_eab'),
      },
      version: read.version,
      servers: servers(),
      leader: leader(),
      follows,
      answers: new Map(answers),
    })
  }

  /** Writes settings, and has the servers order with them; null turns ACME off. */
  async configure(by: Asker, settings: AcmeSettings | null, shown: AcmeView['shown']): Promise<AcmeOrder> {
    return this.#ports.orders.begin({
      kind: settings === null ? 'turn-off' : 'configure',
      domain: settings?.domains[0] ?? (typeof shown['acme.domain'] === 'string' ? shown['acme.domain'] : ''),
      settings: changesTo(settings),
      shown,
      scope: by.scope,
      by: by.name,
      begun: by.begun,
    })
  }

  /** Has the servers order again with the settings they have. */
  async renew(by: Asker): Promise<AcmeOrder> {
    const { serverConfig, orders } = this.#ports
    const read = await serverConfig.read(by.scope)
    const settings = settingsFrom(serverConfig.masked(read))
    if (settings === null || !settings.agreed || settings.email === '') {
      throw new CannotChange('ACME is not set up, so there is nothing to order.')
    }
    const changes = changesToOrderAgain(read.config)
    if (changes === null) {
      throw new CannotChange(
        'Incus orders again only when a setting changes, and there is none left that may. Change one by hand.',
      )
    }
    const [domain = ''] = settings.domains
    return orders.begin({ kind: 'renew', domain, settings: changes, scope: by.scope, by: by.name, begun: by.begun })
  }

  /** Incus warns of certificates that could not be given to every server. Who may not see warnings sees none. */
  async #warnings(scope: Scope): Promise<readonly string[]> {
    const { gateway, logger } = this.#ports
    try {
      const { value } = await gateway.read({
        class: 'read',
        scope,
        target: { kind: 'any' },
        path: '/warnings',
        query: { recursion: '1' },
        parse: IncusWarnings,
      })
      return value
        .filter(({ type, status }) => /certificate/i.test(type) && status !== 'resolved')
        .map(({ type, location, last_message: message }) => {
          const where = location === null || location === undefined || location === '' ? '' : ` (${location})`
          return `${type}${where}${message === null || message === undefined || message === '' ? '' : `: ${message}`}`
        })
    } catch (error) {
      if (!(error instanceof MemberError)) logger.debug({ err: error }, 'warnings could not be read')
      return []
    }
  }
}
