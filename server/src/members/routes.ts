import type { HealthRange, MemberHealthRecord } from '@malleus/shared/api/member-health.ts'
import { getMemberHealth } from '@malleus/shared/api/member-health.ts'
import { changeMemberState, getHealthHistory, getMember, listMembers } from '@malleus/shared/api/members.ts'
import type { Operation } from '@malleus/shared/api/operations.ts'
import type { Action } from '@malleus/shared/domain/action.ts'
import type { IncusOperation } from '@malleus/shared/incus/operation.ts'
import type { Gateway } from '../gateway/gateway.ts'
import type { RequestContext, Route } from '../http/route.ts'
import { route } from '../http/route.ts'
import { changeState } from './change-state.ts'
import type { HealthHistory } from './health-history.ts'
import type { Members } from './members.ts'
import type { Asker } from './reported-by-cluster.ts'

/** The parts of one cluster that its routes need. */
export interface MemberRooms {
  readonly members: Members
  readonly gateway: Pick<Gateway, 'write'>
  readonly history: HealthHistory
  /** What is written down of each server's health. */
  readonly records: { readHealth(member: string, range: HealthRange): Promise<MemberHealthRecord> }
  /** Notes what a person began and who it was, and gives it back in the words of the console. */
  begun(operation: IncusOperation, by: RequestContext, change: { action: Action; member: string }): Promise<Operation>
}

/** `of` finds a cluster by name; the door has checked that the person may see it. */
export function memberRoutes(of: (cluster: string) => MemberRooms): Route[] {
  return [
    route({
      endpoint: listMembers,
      action: 'member.list',
      class: 'list',
      object: () => null,
      handler: async (context, { params }) => {
        const { answer, ...list } = await of(params.cluster).members.list(await asker(context, params.cluster))
        if (answer !== null) context.answeredBy(answer)
        return list
      },
    }),
    route({
      endpoint: getMember,
      action: 'member.read',
      class: 'read',
      handler: async (context, { params }) => {
        const { members } = of(params.cluster)
        const { member, answer } = await members.get(await asker(context, params.cluster), params.member)
        if (answer !== null) context.answeredBy(answer)
        return { member }
      },
    }),
    route({
      endpoint: getMemberHealth,
      action: 'member.read',
      class: 'read',
      object: ({ member }) => member,
      handler: async (_context, { params, query }) => ({
        record: await of(params.cluster).records.readHealth(params.member, query.range),
      }),
    }),
    route({
      endpoint: changeMemberState,
      action: ({ action }) => (action === 'evacuate' ? 'member.evacuate' : 'member.restore'),
      class: 'mutate',
      status: 202,
      object: ({ member }) => member,
      handler: async (context, { params, body }) => {
        const rooms = of(params.cluster)
        const by = await asker(context, params.cluster)
        const answer = await changeState(rooms, by, params.member, body, context.signal)
        context.answeredBy(answer, answer.value.id)
        const action = `member.${body.action}` as const
        return { operation: await rooms.begun(answer.value, context, { action, member: params.member }) }
      },
    }),
    route({
      endpoint: getHealthHistory,
      action: 'member.list',
      class: 'read',
      object: () => null,
      handler: (_context, { params }) => of(params.cluster).history.strips(),
    }),
  ]
}

async function asker(context: RequestContext, cluster: string): Promise<Asker> {
  return { scope: await context.scope(cluster), target: context.target }
}
