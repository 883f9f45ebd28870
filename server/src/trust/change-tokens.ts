/** Making a token for a new client, once, and withdrawing it. */
import type { BodyOf, ReplyOf } from '@malleus/shared/api/endpoint.ts'
import type { createTrustToken } from '@malleus/shared/api/trust.ts'
import { IncusOperation } from '@malleus/shared/incus/operation.ts'
import { z } from 'zod'
import { MemberError } from '../gateway/member-error.ts'
import type { Answer } from '../gateway/request.ts'
import { instant } from '../lib/clock.ts'
import type { Asker, TrustPorts } from './read-trust.ts'
import type { GivenToken } from './given-token-store.ts'
import type { GivenTokens } from './given-tokens.ts'
import { CannotChangeTrust, NoSuchEntry } from './trust-error.ts'
import { addCommand, pendingToken, tokenText } from './trust-token.ts'

export interface TokenPorts extends TrustPorts {
  readonly given: Pick<GivenTokens, 'keep' | 'forget'>
  readonly directory: { get(member: string): object | undefined }
}

export type NewToken = BodyOf<typeof createTrustToken>
type MadeToken = ReplyOf<typeof createTrustToken>

/**
 * Asks Incus for a token, once. Where this console has to withdraw it, the promise is kept durably before the token is
 * given out.
 *
 * @param madeBy the person's name, for the list of pending tokens
 * @throws CannotChangeTrust, what the gateway throws, and what the store of promises throws; then no token stands
 */
export async function createToken(
  ports: TokenPorts,
  asker: Asker,
  { name, restricted, projects, withdrawAfterMinutes }: NewToken,
  madeBy: string,
): Promise<{ readonly made: MadeToken; readonly answer: Answer<IncusOperation> }> {
  const why = withdrawAfterMinutes === null ? null : ports.cannotWithdraw()
  if (why !== null) throw new CannotChangeTrust(why)
  const answer = await ports.gateway.write({
    scope: asker.scope,
    target: asker.target,
    method: 'POST',
    path: '/certificates',
    body: { name, type: 'client', token: true, restricted, projects: restricted ? projects : [] },
    parse: IncusOperation,
    ...(asker.signal && { signal: asker.signal }),
  })
  const withdrawAt = withdrawAfterMinutes === null ? null : ports.clock.now() + withdrawAfterMinutes * 60_000
  const pending = pendingToken(answer.value, {
    madeBy: { name: madeBy, here: true },
    withdrawnAt: withdrawAt === null ? null : instant(withdrawAt),
  })
  const token = tokenText(answer.value)
  if (pending === null || token === null)
    throw new CannotChangeTrust('The cluster answered with something that is no token.')
  await keep(ports, asker, {
    cluster: ports.cluster,
    operation: pending.id,
    name,
    member: pending.member,
    madeBy,
    madeAt: ports.clock.now(),
    withdrawAt,
  })
  ports.tokens(asker.scope).made(answer.value)
  return { made: { token, command: addCommand(ports.cluster, token), pending }, answer }
}

/** A token that cannot be kept track of is taken back before anybody has seen it. */
async function keep(ports: TokenPorts, asker: Asker, token: GivenToken): Promise<void> {
  try {
    await ports.given.keep(token)
  } catch (error) {
    await withdraw(ports, asker, token.operation, token.member)
    throw error
  }
}

/** Where it is not known which there are, as after a new start, that is waited for longer than a page does. */
const findWithinMs = 1_500

/** @throws NoSuchEntry when it is not pending any more, and what the gateway throws */
export async function withdrawToken(ports: TokenPorts, asker: Asker, id: string): Promise<Answer<unknown>> {
  const tokens = ports.tokens(asker.scope)
  const { tokens: pending } = await tokens.view(asker.scope, findWithinMs)
  const found = pending.find((token) => token.id === id)
  if (found === undefined) throw gone()
  const answer = await withdraw(ports, asker, id, found.member)
  tokens.gone(id)
  await ports.given.forget(id)
  return answer
}

async function withdraw(
  { gateway, directory }: TokenPorts,
  { scope, target, signal }: Asker,
  id: string,
  member: string | null,
): Promise<Answer<unknown>> {
  const isKnown = target.kind === 'any' && member !== null && directory.get(member) !== undefined
  try {
    return await gateway.write({
      scope,
      // Any other would only pass it on to where the token is, and wait for that one.
      target: isKnown ? { kind: 'member', name: member } : target,
      method: 'DELETE',
      path: `/operations/${encodeURIComponent(id)}`,
      parse: z.unknown(),
      ...(signal && { signal }),
    })
  } catch (error) {
    throw error instanceof MemberError && error.status === 404 ? gone() : error
  }
}

function gone(): NoSuchEntry {
  return new NoSuchEntry('This token is not pending: it was used or withdrawn')
}
