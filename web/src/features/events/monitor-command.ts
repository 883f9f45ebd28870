import type { EventFilter } from './event-filter.ts'

/**
 * The command that shows the same in a terminal. `incus monitor` narrows by type and project itself; the rest takes jq
 * (https://jqlang.org).
 */
export function monitorCommand(filter: EventFilter): string {
  const types = filter.type === undefined ? ['lifecycle', 'operation'] : [filter.type]
  const where = filter.project === undefined ? '--all-projects' : `--project ${quoted(filter.project)}`
  const conditions = conditionsOf(filter)
  const command = ['incus monitor', ...types.map((type) => `--type=${type}`), where]
  if (conditions.length === 0) return [...command, '--format=pretty'].join(' ')
  return `${[...command, '--format=json'].join(' ')} | jq -c ${quoted(`select(${conditions.join(' and ')})`)}`
}

function conditionsOf({ q, action, server, object, who }: EventFilter): string[] {
  const words = (q ?? '').toLowerCase().split(/\s+/).filter(Boolean)
  return [
    ...(action === undefined ? [] : [actionCondition(action)]),
    ...(server === undefined ? [] : [`.location == ${JSON.stringify(server)}`]),
    ...(object === undefined ? [] : [`(.metadata.source // "" | contains(${JSON.stringify(lastName(object))}))`]),
    ...(who === undefined ? [] : [`.metadata.requestor.username == ${JSON.stringify(who)}`]),
    ...words.map((word) => `(tostring | ascii_downcase | contains(${JSON.stringify(word)}))`),
  ]
}

/** Background work has a state where the rest has an action. */
function actionCondition(action: string): string {
  const state = Object.hasOwn(states, action) ? states[action] : undefined
  return state === undefined ? `.metadata.action == ${JSON.stringify(action)}` : `.metadata.status == "${state}"`
}

/** incus `shared/api/status_code.go` */
const states: Readonly<Record<string, string>> = {
  'operation-created': 'Operation created',
  'operation-pending': 'Pending',
  'operation-running': 'Running',
  'operation-cancelling': 'Cancelling',
  'operation-succeeded': 'Success',
  'operation-failed': 'Failure',
}

/** "daily of web-1" is `…/web-1/snapshots/daily` there. */
function lastName(object: string): string {
  return object.split(' of ')[0] ?? object
}

/** For a POSIX shell. */
function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}
