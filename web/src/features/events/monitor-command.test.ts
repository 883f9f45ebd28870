import { expect, test } from 'vitest'
import { EventFilter } from './event-filter.ts'
import { monitorCommand } from './monitor-command.ts'

test.each<[Partial<EventFilter>, string]>([
  [{}, 'incus monitor --type=lifecycle --type=operation --all-projects --format=pretty'],
  [{ type: 'lifecycle', project: 'shop' }, 'incus monitor --type=lifecycle --project shop --format=pretty'],
  [
    { type: 'lifecycle', action: 'instance-started', server: 'server2' },
    `incus monitor --type=lifecycle --all-projects --format=json | jq -c 'select(.metadata.action == "instance-started" and .location == "server2")'`,
  ],
  [
    { type: 'operation', action: 'operation-failed' },
    `incus monitor --type=operation --all-projects --format=json | jq -c 'select(.metadata.status == "Failure")'`,
  ],
  [
    { type: 'lifecycle', object: 'daily of web-1', who: 'mika@example.net' },
    `incus monitor --type=lifecycle --all-projects --format=json | jq -c 'select((.metadata.source // "" | contains("daily")) and .metadata.requestor.username == "mika@example.net")'`,
  ],
  [
    { type: 'lifecycle', q: `It's "So"` },
    `incus monitor --type=lifecycle --all-projects --format=json | jq -c 'select((tostring | ascii_downcase | contains("it'\\''s")) and (tostring | ascii_downcase | contains("\\"so\\"")))'`,
  ],
  [
    { type: 'lifecycle', project: `x; rm -rf '/'` },
    `incus monitor --type=lifecycle --project 'x; rm -rf '\\''/'\\''' --format=pretty`,
  ],
])('%j is %s', (filter, command) => {
  expect(monitorCommand({ ...EventFilter.parse({}), ...filter })).toBe(command)
})
