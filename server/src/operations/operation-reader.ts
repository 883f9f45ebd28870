// How Incus is asked for its operations, and for what they leave behind, with one authority.

import type { Operation } from '@malleus/shared/api/operations.ts'
import { SingleIncusInstance } from '@malleus/shared/incus/instance.ts'
import { IncusOperation, IncusOperationMap } from '@malleus/shared/incus/operation.ts'
import { z } from 'zod'
import type { MemberDirectory } from '../clusters/member-directory.ts'
import type { Gateway } from '../gateway/gateway.ts'
import { MemberError } from '../gateway/member-error.ts'
import type { Answer } from '../gateway/request.ts'
import type { Scope } from '../gateway/scope.ts'
import type { Clock } from '../lib/clock.ts'
import { soon } from '../lists/patience.ts'
import { expectedState } from './expected-state.ts'

export interface OperationReaderOptions {
  readonly gateway: Pick<Gateway, 'read'>
  readonly directory: Pick<MemberDirectory, 'get'>
  /** The authority; asked each time, since a token is renewed. */
  readonly scope: () => Scope
  /** The projects to be seen, where the console and not Incus has to see to that. */
  readonly projects: 'all' | readonly string[]
  readonly clock: Clock
}

/** Incus waits 30 s for each member that it believes to be online. */
const listDeadlineMs = 35_000
const projectsEveryMs = 30_000

export class OperationReader {
  readonly #options: OperationReaderOptions
  #projects: { readonly names: readonly string[]; readonly readAt: number } | null = null
  #readingProjects: Promise<readonly string[]> | null = null

  constructor(options: OperationReaderOptions) {
    this.#options = options
  }

  /**
   * Incus answers for one project with its operations and those of the cluster. Where the console has to keep projects
   * apart it asks for each by name, since an operation does not say to which it belongs.
   */
  async list(): Promise<Answer<readonly IncusOperation[]>> {
    const { projects } = this.#options
    const [first, ...others] = projects === 'all' ? ['all'] : projects
    if (projects === 'all' || first === undefined) return this.#listOf({ 'all-projects': 'true' })
    const answer = await this.#listOf({ project: first })
    const found = new Map(answer.value.map((operation) => [operation.id, operation]))
    // One after the other: each makes Incus ask every member.
    for (const project of others) {
      for (const operation of (await this.#listOf({ project })).value) found.set(operation.id, operation)
    }
    return { ...answer, value: [...found.values()] }
  }

  /** Incus passes the question on to the member where it runs, so that one is asked itself where it is known. */
  async one(id: string, location: string | null): Promise<IncusOperation | null> {
    return this.#orNull(`/operations/${encodeURIComponent(id)}`, {}, IncusOperation, location)
  }

  /** Whether what the operation was begun for is so; null where its object does not tell. */
  async isDone(operation: Operation): Promise<boolean | null> {
    const expected = expectedState(operation)
    if (expected === null) return null
    const name = encodeURIComponent(expected.name)
    if (expected.kind === 'member') {
      const member = await this.#orNull(`/cluster/members/${name}`, {}, z.looseObject({ status: z.string() }), null)
      return member === null ? null : member.status === expected.status
    }
    const { project, state } = expected
    const instance = await this.#orNull(`/instances/${name}`, { project }, SingleIncusInstance, operation.location)
    if (state === 'gone') return instance === null
    return instance !== null && (state === 'there' || instance.status === state)
  }

  /** The projects of which the person may see what is kept; the last known, or null while nobody could tell. */
  async projects(): Promise<'all' | readonly string[] | null> {
    const { projects, scope, clock } = this.#options
    if (projects !== 'all' || scope().kind !== 'bearer') return projects
    const known = this.#projects
    if (known !== null && clock.monotonic() - known.readAt < projectsEveryMs) return known.names
    this.#readingProjects ??= this.#readProjects().finally(() => (this.#readingProjects = null))
    const read = await soon(clock, this.#readingProjects, 150).catch(() => null)
    return read ?? known?.names ?? null
  }

  async #readProjects(): Promise<readonly string[]> {
    const { gateway, scope, clock } = this.#options
    const { value } = await gateway.read({
      class: 'read',
      scope: scope(),
      target: { kind: 'any' },
      path: '/projects',
      parse: z.array(z.string()),
    })
    const names = value.map((path) => decodeURIComponent(path.split('/').at(-1) ?? ''))
    this.#projects = { names, readAt: clock.monotonic() }
    return names
  }

  async #listOf(which: Readonly<Record<string, string>>): Promise<Answer<readonly IncusOperation[]>> {
    return this.#options.gateway.read({
      class: 'list',
      scope: this.#options.scope(),
      target: { kind: 'any' },
      path: '/operations',
      query: { recursion: '1', ...which },
      parse: IncusOperationMap,
      deadlineMs: listDeadlineMs,
    })
  }

  async #orNull<Parsed>(
    path: string,
    query: Readonly<Record<string, string>>,
    parse: z.ZodType<Parsed>,
    member: string | null,
  ): Promise<Parsed | null> {
    const { gateway, scope, directory } = this.#options
    const target =
      member === null || directory.get(member) === undefined
        ? ({ kind: 'any' } as const)
        : ({ kind: 'member', name: member } as const)
    try {
      return (await gateway.read({ class: 'read', scope: scope(), target, path, query, parse })).value
    } catch (error) {
      if (error instanceof MemberError && error.status === 404) return null
      throw error
    }
  }
}
