import { randomUUID } from 'node:crypto'
import { listClusters } from '@malleus/shared/api/clusters.ts'
import { Operation } from '@malleus/shared/api/operations.ts'
import { eventually } from './eventually.ts'
import type { BrowserReply, TestBrowser } from './test-browser.ts'

/** Everything a page asks for, in the order a person comes past it. */
export const pagesOfTheConsole = (cluster: string, member: string): readonly string[] => [
  '/api/openapi.json',
  '/api/session',
  '/api/clusters',
  `/api/clusters/${cluster}/figures`,
  `/api/clusters/${cluster}/certificate`,
  `/api/clusters/${cluster}/acme`,
  `/api/clusters/${cluster}/trust`,
  `/api/clusters/${cluster}/members`,
  `/api/clusters/${cluster}/members/${member}`,
  `/api/clusters/${cluster}/members/no-such-server`,
  `/api/clusters/${cluster}/members/${member}/health?range=1h`,
  `/api/clusters/${cluster}/health-history`,
  `/api/clusters/${cluster}/incidents?doubts=true`,
  `/api/clusters/${cluster}/operations`,
  `/api/clusters/${cluster}/kept-operations`,
  `/api/clusters/${cluster}/instances`,
  `/api/clusters/${cluster}/events`,
  `/api/clusters/${cluster}/access-paths`,
  `/api/clusters/${cluster}/fronts/haproxy`,
  `/api/audit?limit=200&reads=true`,
]

/** Looks at every page. */
export async function lookAround(browser: TestBrowser, cluster: string, member: string): Promise<BrowserReply[]> {
  const replies: BrowserReply[] = []
  for (const path of pagesOfTheConsole(cluster, member)) replies.push(await browser.get(path))
  for (const path of ['/', '/servers']) replies.push(await browser.navigate(path))
  return replies
}

/** Takes a server out and brings it back, each to its end as the live stream tells it. */
export async function evacuateAndRestore(browser: TestBrowser, cluster: string, member: string): Promise<void> {
  const live = await browser.live()
  for (const action of ['evacuate', 'restore'] as const) {
    const reply = await changeState(browser, cluster, member, action)
    if (reply.status !== 202) throw new Error(`${action} was answered with ${reply.status}: ${reply.text}`)
    const { id } = operationIn(reply)
    await live.next('operation-changed', ({ operation }) => operation.id === id && operation.status === 'success')
  }
  live.cut()
}

/** Asks for it once the console knows that the server is in a state that allows it. */
export async function changeState(
  browser: TestBrowser,
  cluster: string,
  member: string,
  action: 'evacuate' | 'restore',
  key: string = randomUUID(),
): Promise<BrowserReply> {
  const path = `/api/clusters/${cluster}/members/${member}/state`
  return eventually(
    () => browser.post(path, { action, mode: '' }, key),
    ({ text }) => !text.includes('"not_possible"'),
  )
}

export function operationIn(reply: BrowserReply): Operation {
  const { json } = reply
  if (typeof json !== 'object' || json === null || !('operation' in json))
    throw new Error(`no operation: ${reply.text}`)
  return Operation.parse(json.operation)
}

/** Names of the clusters that the browser is shown. */
export async function clustersShown(browser: TestBrowser): Promise<string[]> {
  const reply = await browser.get('/api/clusters')
  return listClusters.reply.parse(reply.json).clusters.map(({ name }) => name)
}
