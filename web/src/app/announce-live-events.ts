import type { Health } from '@malleus/shared/api/health.ts'
import type { LiveEvent } from '@malleus/shared/api/live.ts'
import { isFinished, type Operation } from '@malleus/shared/api/operations.ts'
import { onLiveEvent, type LiveContext } from '../api/live.ts'
import { headlineOf, isUsable, stateOf, type MemberNow } from '../components/member-words.ts'
import { operationDetail, operationTitle } from '../components/operation-words.ts'
import { announce } from '../stores/announcements.ts'
import { showToast, type Toast } from '../stores/toasts.ts'

/** Says aloud what changed by itself, and shows how operations ended that began while the page was open. */
export function announceLiveEvents(): () => void {
  return onLiveEvent((event, before) => {
    const { sentence, toast } = sayLiveEvent(event, before)
    if (sentence !== undefined) announce(sentence)
    if (toast !== undefined) showToast(toast)
  })
}

interface Said {
  readonly sentence?: string
  readonly toast?: Omit<Toast, 'id'>
}

/** What a live event is worth telling, given what was known before it. */
export function sayLiveEvent(event: LiveEvent, before: LiveContext): Said {
  if (event.kind === 'member-health-changed') {
    const member = before.members(event.cluster)?.members.find(({ name }) => name === event.member)
    return member === undefined ? {} : sayHealth(member, event.health)
  }
  if (event.kind === 'operation-changed') {
    const known = before.operations(event.cluster)?.operations.find(({ id }) => id === event.operation.id)
    return known === undefined ? {} : sayOperation(known, event.operation)
  }
  return {}
}

function sayHealth(before: MemberNow, health: Health): Said {
  const after = { ...before, health }
  if (stateOf(before).word === stateOf(after).word) return {}
  if (!isUsable(before) && isUsable(after)) return { sentence: `${before.name} answers again.` }
  const { tone } = stateOf(after)
  return tone === 'bad' || tone === 'warning' ? { sentence: `${headlineOf(after)}.` } : {}
}

function sayOperation(before: Operation, after: Operation): Said {
  if (isFinished(before) || !isFinished(after)) return {}
  const title = operationTitle(after)
  const text = operationDetail(after)
  const tone = after.status === 'success' ? 'good' : after.status === 'failure' ? 'bad' : 'info'
  return { sentence: `${title}. ${text}`.trim(), toast: { tone, title, ...(text !== '' && { text }) } }
}
