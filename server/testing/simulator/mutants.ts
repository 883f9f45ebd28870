/** A mistake that somebody could make: one place in one file of the server. */
export interface Mutant {
  /** Below `server/src`. */
  readonly file: string
  /** Stands there exactly once. */
  readonly find: string
  readonly put: string
}

const neverTwice: readonly Mutant[] = [
  // Taken at its word, "starting up" means that nothing was done.
  {
    file: 'gateway/send-once.ts',
    find: 'if (flight.attempt.sentAt === null && !thrown.sent) {',
    put: 'if (thrown.status === 503 || (flight.attempt.sentAt === null && !thrown.sent)) {',
  },
  {
    file: 'gateway/send-once.ts',
    find: 'if (this.#flight !== flight || flight.attempt.sentAt !== null) return',
    put: 'if (this.#flight !== flight) return',
  },
  {
    file: 'gateway/send-once.ts',
    find: '    this.#leave(flight)\n    if (sent) {',
    put: '    this.#leave(flight)\n    if (!sent) {',
  },
  {
    file: 'gateway/send-once.ts',
    find: '    this.#flight = null\n    flight.attempt.cancel()',
    put: '    this.#flight = null',
  },
  {
    file: 'gateway/exchange.ts',
    find: 'if (this.sent) throw this.#error(',
    put: 'if (this.sent && this.#settled) throw this.#error(',
  },
  {
    file: 'gateway/exchange.ts',
    find: "if (this.#settled) throw this.#error('cancelled', 'given up",
    put: "if (this.#settled && this.sent) throw this.#error('cancelled', 'given up",
  },
  { file: 'gateway/member-attempt.ts', find: '    this.#exchange?.fail(error)\n', put: '' },
  {
    file: 'gateway/incus-reply.ts',
    find: "return error.kind === 'incus' && (!mayDifferElsewhere(error)",
    put: "return error.kind === 'incus' || (!mayDifferElsewhere(error)",
  },
  {
    file: 'mutations/idempotency.ts',
    find: '(mayHave ? store.leaveUnknown',
    put: '(mayHave && reply !== undefined ? store.leaveUnknown',
  },
  { file: 'mutations/idempotency.ts', find: '    await this.#tellAgain(key)\n', put: '' },
  { file: 'mutations/idempotency.ts', find: '    this.#underWay.set(id, wanted)\n', put: '' },
  {
    file: 'http/pipeline.ts',
    find: 'const request = { key, principal, bodyHash }',
    put: 'const request = { key: exchange.id, principal, bodyHash }',
  },
]

const saidHonestly: readonly Mutant[] = [
  { file: 'mutations/idempotency.ts', find: '  await keys.takeOver()\n', put: '' },
  {
    file: 'mutations/idempotency.ts',
    find: 'if (kept.owner === this.#owner) return this.#do(key, work)\n      ',
    put: '',
  },
  {
    file: 'mutations/reconciler.ts',
    find: 'if (!this.#stopped.signal.aborted) this.#options.publish',
    put: 'if (this.#stopped.signal.aborted) this.#options.publish',
  },
  {
    file: 'mutations/reconciler.ts',
    find: "sightings.every(({ kind }) => kind === 'not-applied')",
    put: "sightings.every(({ kind }) => kind !== 'applied')",
  },
  {
    file: 'gateway/send-once.ts',
    find: 'this.#fail(new OutcomeUnknown(thrown, this.#begun))',
    put: "this.#fail(new NoResponsiveMember('no_responsive_member', thrown.message, [thrown], this.#begun))",
  },
  {
    file: 'operations/operations.ts',
    find: '(this.#heardAt.get(id) ?? asked) < asked',
    put: '(this.#heardAt.get(id) ?? asked) > asked',
  },
]

const writtenDown: readonly Mutant[] = [
  { file: 'http/pipeline.ts', find: 'await door.audit.intent(', put: 'void door.audit.intent(' },
  {
    file: 'audit/audit-log.ts',
    find: '    await this.#options.store.append(records)\n    this.#written()',
    put: '    this.#written()\n    await this.#options.store.append(records)',
  },
  {
    file: 'audit/audit-log.ts',
    find: 'if (head?.hash === doubt.records.at(-1)?.hash) {',
    put: 'if (head === doubt) {',
  },
  {
    file: 'audit/audit-log.ts',
    find: 'this.#queue.unshift(...doubt.waiting',
    put: 'this.#head = doubt.records[0] ?? this.#head\n    this.#queue.unshift(...doubt.waiting',
  },
]

const inTimeAndWithinLimits: readonly Mutant[] = [
  { file: 'gateway/hedge.ts', find: 'hedgeDue && this.#options.budget.take()', put: 'hedgeDue' },
  { file: 'gateway/hedge.ts', find: 'isFree || (isDue && this.#options.budget.take())', put: 'isFree || isDue' },
  { file: 'gateway/hedge.ts', find: 'clock.after(deadlineMs, () =>', put: 'clock.after(2 * deadlineMs, () =>' },
  { file: 'gateway/hedge.ts', find: "    signal?.addEventListener('abort', this.#abort, { once: true })\n", put: '' },
  { file: 'gateway/hedge-budget.ts', find: 'this.#tokens -= 1', put: 'this.#tokens -= 0.5' },
  {
    file: 'gateway/gateway.ts',
    find: 'request.deadlineMs ?? this.#deadlineMs(request.class)',
    put: 'request.deadlineMs ?? settings.limits.mutationMs',
  },
  {
    file: 'gateway/limits.ts',
    find: 'if (gate.taken < this.#most(kind)) return',
    put: 'if (gate.taken <= this.#most(kind)) return',
  },
  { file: 'gateway/limits.ts', find: '>= this.#settings.queuePerMember', put: '>= 10 * this.#settings.queuePerMember' },
  { file: 'gateway/limits.ts', find: '        gate.taken -= 1\n', put: '' },
  { file: 'gateway/member-attempt.ts', find: '    this.#place.leave()\n', put: '' },
]

const trusted: readonly Mutant[] = [
  {
    file: 'gateway/gateway.ts',
    find: "standing !== 'untrusted') return transport",
    put: "standing !== 'unknown') return transport",
  },
  {
    file: 'clusters/trust.ts',
    find: "if (pin === undefined) return 'unknown'",
    put: "if (pin === undefined) return 'next'",
  },
  { file: 'clusters/trust.ts', find: "return verdict !== 'unknown'", put: "return verdict !== 'trusted'" },
  {
    file: 'health/health.ts',
    find: "const trusted = evidence.trusted && failure.phase !== 'certificate'",
    put: 'const { trusted } = evidence',
  },
  {
    file: 'health/health.ts',
    find: 'if (!evidence.trusted && !fresh) return evidence',
    put: 'if (!evidence.trusted) return evidence',
  },
]

const theBoardTellsTheTruth: readonly Mutant[] = [
  { file: 'health/health.ts', find: 'const probation = evidence.probation + 1', put: 'const { probation } = evidence' },
  {
    file: 'health/health.ts',
    find: 'failedProbes < settings.failuresToEject',
    put: 'failedProbes < 3 * settings.failuresToEject',
  },
  { file: 'health/health.ts', find: "return how === 'silent' ? 'stuck' : 'refusing'", put: "return 'refusing'" },
  {
    file: 'health/health.ts',
    find: '    doubted: false,\n    fault: null,\n    away: false,\n    ejected: false,',
    put: '    fault: null,\n    away: false,\n    ejected: false,',
  },
  { file: 'health/pace.ts', find: 'answersMs.slice(-inARow).some(slow)', put: 'answersMs.some(slow)' },
  { file: 'probes/member-probes.ts', find: '      this.#planLight(false, startedAt)\n', put: '' },
  { file: 'probes/member-probes.ts', find: 'if (!wasEjected) this.#planLight(true, startedAt)', put: '' },
]

const eventsOnceOrAGap: readonly Mutant[] = [
  {
    file: 'events/seen-events.ts',
    find: 'if (this.#seenAt.has(key)) return false',
    put: 'if (this.#seenAt.get(key) === now) return false',
  },
  {
    file: 'events/stream-merge.ts',
    find: 'const gap: Merged[] = isWhole ? []',
    put: 'const gap: Merged[] = isWhole || until > 0 ? []',
  },
  {
    file: 'events/stream-merge.ts',
    find: '{ openedAt: at, joined: false, held: [] }',
    put: '{ openedAt: at, joined: true, held: [] }',
  },
  { file: 'events/stream-merge.ts', find: 'this.#reach(Math.min(at, sentAt))', put: 'this.#reach(at + 2_000)' },
  { file: 'events/event-feed.ts', find: '      this.#tell(this.#merge.closed(member))\n', put: '' },
  { file: 'live/replay-window.ts', find: 'kept.seq > seq)', put: 'kept.seq >= seq)' },
  { file: 'live/replay-window.ts', find: 'match?.[1] === this.#epoch ?', put: 'match !== null ?' },
  { file: 'live/live-channel.ts', find: 'for (const { id, event } of missed ?? []) write(stream, event, id)', put: '' },
]

export const mutants: readonly Mutant[] = [
  ...neverTwice,
  ...saidHonestly,
  ...writtenDown,
  ...inTimeAndWithinLimits,
  ...trusted,
  ...theBoardTellsTheTruth,
  ...eventsOnceOrAGap,
]
