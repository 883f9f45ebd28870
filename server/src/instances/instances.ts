// The instances of one cluster as one authority sees them. Which of them there are and what they are like comes from the
// room of lists; here is how Incus is asked for them, and what its events mean for them.

import type { Freshness, Known } from '@malleus/shared/api/freshness.ts'
import type { Instance } from '@malleus/shared/api/instances.ts'
import { instanceKey } from '@malleus/shared/api/instances.ts'
import type { LifecycleEvent } from '@malleus/shared/incus/event.ts'
import {
  IncusInstancePaths,
  IncusInstances,
  SingleIncusInstance,
  cutInstance,
  instanceIn,
} from '@malleus/shared/incus/instance.ts'
import type { MemberDirectory } from '../clusters/member-directory.ts'
import type { Gateway } from '../gateway/gateway.ts'
import { MemberError } from '../gateway/member-error.ts'
import type { Answer } from '../gateway/request.ts'
import type { Scope } from '../gateway/scope.ts'
import type { HealthBoard } from '../health/health-board.ts'
import { silenceOf } from '../health/silence.ts'
import type { Clock } from '../lib/clock.ts'
import { instant } from '../lib/clock.ts'
import type { Logger } from '../lib/logger.ts'
import type { Random } from '../lib/random.ts'
import { KeptList } from '../lists/kept-list.ts'
import type { ListSource, ListView } from '../lists/kept-list.ts'
import type { AnsweredRow, KnownRow } from '../lists/known-list.ts'
import type { InstanceRow } from './instance-row.ts'
import { answeredRow, effectOf, instanceRows, namedRow } from './instance-row.ts'

export interface InstancesOptions {
  readonly gateway: Pick<Gateway, 'read'>
  readonly directory: MemberDirectory
  readonly board: HealthBoard
  /** The authority; asked each time, since a token is renewed. */
  readonly scope: () => Scope
  /** The projects to be seen, where the console and not Incus has to see to that. */
  readonly projects: 'all' | readonly string[]
  /** Whether events arrive now. */
  readonly isTold: () => boolean
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

export interface InstanceList extends Omit<ListView<InstanceRow>, 'rows'> {
  readonly instances: readonly Instance[]
}

/** So many instances that are not in the list yet are remembered with where they were heard of. */
const mostHeardOn = 1_000

/** Incus waits 30 s for each member that it believes to be online. */
const wholeDeadlineMs = 35_000

export class Instances implements ListSource<InstanceRow> {
  readonly #options: InstancesOptions
  readonly #list: KeptList<InstanceRow>
  /** On which server something was heard of an instance that is not in the list yet. */
  readonly #heardOn = new Map<string, string>()

  constructor(options: InstancesOptions) {
    const { board, directory, isTold, clock, random, logger } = options
    this.#options = options
    this.#list = new KeptList({
      source: this,
      kind: instanceRows,
      silence: (member) => silenceOf(board.current(member)),
      loss: () => (board.databaseAvailable === false ? 'The cluster database does not answer.' : null),
      members: () => directory.list().map(({ name }) => name),
      isTold,
      clock,
      random,
      logger,
    })
  }

  /** All of them, or what has changed since an earlier list. Never waits for a server that does not answer. */
  async list(since?: string): Promise<InstanceList> {
    const { rows, ...view } = await this.#list.view(since)
    return { ...view, instances: rows.map(shown) }
  }

  /** How many are on each server. Waits for nothing. */
  counts(): ReadonlyMap<string, Known<{ count: number }>> {
    return new Map(this.#list.parts().map(({ name, count, freshness }) => [name, knownCount(count, freshness)]))
  }

  /** Hears when a list would be another than before. Returns what ends it. */
  subscribe(listener: () => void): () => void {
    return this.#list.subscribe(listener)
  }

  /** Takes in what happened in the cluster. */
  hear({ metadata: { action, source, context }, location }: LifecycleEvent): void {
    const effect = effectOf(action)
    const instance = effect === 'none' ? undefined : instanceIn(source)
    if (instance === undefined || !this.#isVisible(instance)) return
    const { project, name } = instance
    const before = action === 'instance-renamed' ? context?.['old_name'] : undefined
    if (typeof before === 'string') this.#list.gone(instanceKey({ project, name: before }))
    if (effect === 'gone') this.#list.gone(instanceKey({ project, name }))
    else {
      if (this.#heardOn.size >= mostHeardOn) this.#heardOn.clear()
      this.#heardOn.set(instanceKey({ project, name }), location)
      this.#list.changed(instanceKey({ project, name }))
    }
  }

  /** Events may have been missed. */
  doubt(): void {
    this.#list.doubt()
  }

  answersAgain(member: string): void {
    this.#list.answersAgain(member)
  }

  stop(): void {
    this.#list.stop()
  }

  async whole(): Promise<Answer<readonly AnsweredRow<InstanceRow>[]>> {
    const { gateway, scope } = this.#options
    const answer = await gateway.read({
      class: 'list',
      scope: scope(),
      target: { kind: 'any' },
      path: '/instances',
      query: { recursion: '1', 'all-projects': 'true' },
      parse: IncusInstances,
      eachRow: cutInstance,
      deadlineMs: wholeDeadlineMs,
    })
    const standalone = this.#standalone
    const value = answer.value.filter((row) => this.#isVisible(row)).map((row) => answeredRow(row, standalone))
    return { ...answer, value }
  }

  /** Without recursion Incus reads them from its database and asks no other member, so it can be hedged as a read. */
  async names(): Promise<readonly Omit<AnsweredRow<InstanceRow>, 'told'>[]> {
    const { gateway, scope } = this.#options
    const { value } = await gateway.read({
      class: 'read',
      scope: scope(),
      target: { kind: 'any' },
      path: '/instances',
      query: { 'all-projects': 'true' },
      parse: IncusInstancePaths,
    })
    return value.filter((row) => this.#isVisible(row)).map(namedRow)
  }

  /**
   * Incus passes the question on to the member that has the instance, so that one is asked itself where it is known, and
   * nobody else: any other would only wait for it too. An instance that has moved is found by the one it has left, too.
   */
  async one(key: string, lastKnown: KnownRow<InstanceRow> | undefined): Promise<AnsweredRow<InstanceRow> | null> {
    const at = key.indexOf('/')
    const [project, name] = [key.slice(0, at), key.slice(at + 1)]
    if (!this.#isVisible({ project })) return null
    const heardOn = this.#heardOn.get(key)
    this.#heardOn.delete(key)
    try {
      return await this.#readOne(project, name, lastKnown?.member || heardOn || '')
    } catch (error) {
      if (isGone(error)) return null
      throw error
    }
  }

  async #readOne(project: string, name: string, member: string): Promise<AnsweredRow<InstanceRow>> {
    const { gateway, scope, directory } = this.#options
    const { value } = await gateway.read({
      class: 'read',
      scope: scope(),
      target: { kind: 'any' },
      on: directory.get(member) === undefined ? null : member,
      path: `/instances/${encodeURIComponent(name)}`,
      query: { project },
      parse: SingleIncusInstance,
    })
    return answeredRow({ ...value, project }, this.#standalone)
  }

  #isVisible({ project }: { readonly project: string }): boolean {
    const { projects } = this.#options
    return projects === 'all' || projects.includes(project)
  }

  get #standalone(): string | null {
    const [first, ...others] = this.#options.directory.list()
    return first !== undefined && others.length === 0 ? first.name : null
  }
}

/** The row as it goes over the wire; its age only where it is not that of its server's other rows. */
function shown({ row, asOf, current }: KnownRow<InstanceRow>): Instance {
  return current || asOf === null ? row : { ...row, asOf: instant(asOf) }
}

function knownCount(count: number, freshness: Freshness): Known<{ count: number }> {
  return freshness.kind === 'unavailable' ? { value: null, freshness } : { value: { count }, freshness }
}

function isGone(error: unknown): boolean {
  return error instanceof MemberError && error.status === 404
}
