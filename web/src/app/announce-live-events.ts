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
    // A toast is heard by itself.
    if (toast !== undefined) showToast(toast)
    else if (sentence !== undefined) announce(sentence)
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
  if (event.kind === 'outcome-found') return sayOutcome(event)
  return {}
}

const outcomes = {
  confirmed: { tone: 'good', text: 'It was done, although its answer was lost.' },
  'not-applied': { tone: 'bad', text: 'It was not done. You can ask for it again.' },
  unknown: { tone: 'info', text: 'Nobody can tell whether it was done. Look at the server before you ask again.' },
} as const

const attempts: Readonly<Record<string, string>> = {
  'member.evacuate': 'Evacuating',
  'member.restore': 'Restoring',
  'operation.cancel': 'Cancelling the operation',
}

/** What became of a change whose answer was lost. */
function sayOutcome({ action, object, outcome }: Extract<LiveEvent, { kind: 'outcome-found' }>): Said {
  const { tone, text } = outcomes[outcome]
  const title = `${attempts[action] ?? action} ${object}`
  return { sentence: `${title}: ${text}`, toast: { tone, title, text } }
}

function sayHealth(before: MemberNow, health: Health): Said {
  const after = { ...before, health }
  if (stateOf(before).word === stateOf(after).word) return {}
  if (!isUsable(before) && isUsable(after)) return { sentence: `${before.name} answers again.` }
  const { tone } = stateOf(after)
  return tone === 'bad' || tone === 'warning' ? { sentence: `${headlineOf(after)}.` } : {}
}

function sayOperation(before: Operation, after: Operation): Said {
  const isFound = before.looking && !after.looking
  if (!isFound && (isFinished(before) || !isFinished(after))) return {}
  const title = operationTitle(after)
  const text = operationDetail(after)
  const tone = after.status === 'success' ? 'good' : after.status === 'failure' ? 'bad' : 'info'
  return { sentence: `${title}. ${text}`.trim(), toast: { tone, title, ...(text !== '' && { text }) } }
}
