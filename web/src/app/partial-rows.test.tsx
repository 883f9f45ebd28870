import type { AccessPath } from '@malleus/shared/api/access-paths.ts'
import type { ClusterSummary } from '@malleus/shared/api/clusters.ts'
import type { Incident } from '@malleus/shared/api/incidents.ts'
import type { Instance } from '@malleus/shared/api/instances.ts'
import type { MemberHealthRecord } from '@malleus/shared/api/member-health.ts'
import type { Member, MemberDetail } from '@malleus/shared/api/members.ts'
import type { Operation } from '@malleus/shared/api/operations.ts'
import type { SessionView } from '@malleus/shared/api/session.ts'
import type { TrustView } from '@malleus/shared/api/trust.ts'
import { QueryClientProvider } from '@tanstack/react-query'
import { createMemoryHistory, RouterProvider } from '@tanstack/react-router'
import { renderToString } from 'react-dom/server'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { certificateQuery } from '../api/certificate.ts'
import { clusterListQuery } from '../api/clusters.ts'
import { accessPathsQuery } from '../api/access-paths.ts'
import { incidentPagesQuery, incidentQuery } from '../api/incidents.ts'
import { instanceListQuery, type InstanceList } from '../api/instances.ts'
import { memberHealthQuery } from '../api/member-health.ts'
import { healthHistoryQuery, memberListQuery, memberQuery } from '../api/members.ts'
import { keptOperationsQuery, operationQuery } from '../api/kept-operations.ts'
import { operationListQuery } from '../api/operations.ts'
import { queryClient } from '../api/query-client.ts'
import { sessionQuery } from '../api/session.ts'
import { trustQuery } from '../api/trust.ts'
import { router } from './routes.tsx'

const at = new Date().toISOString()
const unavailable = { value: null, freshness: { kind: 'unavailable', reason: 'server3 stopped answering' } } as const
const stale = { kind: 'stale', asOf: at, reason: 'server3 stopped answering' } as const

/** A server of which nothing is known but its name and where it should be. */
const bare: Member = {
  name: 'server3',
  address: '10.20.0.13:8443',
  notContacted: null,
  reported: unavailable,
  health: { standing: 'unknown', symptom: null, since: at, answerMs: null, answeredAt: null, failure: null },
  presented: null,
  load: unavailable,
  memory: unavailable,
  instances: unavailable,
}

const reported = {
  status: 'Online',
  message: '',
  roles: [],
  groups: [],
  failureDomain: '',
  architecture: '',
  description: '',
  database: false,
}

const rows: readonly (readonly [string, Member, string])[] = [
  ['nothing is known of it', bare, 'Unknown'],
  [
    'its status is of a newer Incus',
    { ...bare, reported: { value: { ...reported, status: 'Whatever' }, freshness: { kind: 'fresh', asOf: at } } },
    'Whatever',
  ],
  [
    'all of it is old',
    {
      ...bare,
      reported: { value: reported, freshness: stale },
      load: old({ average1: 1, average5: 1, average15: 1, cores: 0 }),
      memory: old({ usedBytes: 1, totalBytes: 0 }),
      instances: old({ count: 3 }),
    },
    ' old',
  ],
  ['it is not contacted', { ...bare, notContacted: 'Its address is outside the allowed networks.' }, 'Not contacted'],
  [
    'it is stuck and was never heard',
    {
      ...bare,
      health: {
        ...bare.health,
        standing: 'ejected',
        symptom: 'stuck',
        failure: { phase: 'tls', message: 'No handshake.', at },
      },
    },
    'Stuck',
  ],
  [
    'what it presented has expired',
    { ...bare, presented: { fingerprint: 'ab', expiresAt: '2020-01-01T00:00:00Z', seenAt: at, verdict: 'expired' } },
    'Unknown',
  ],
]

/** An instance of which nothing is known but its name and project. */
const named: Instance = {
  name: 'web-07',
  project: 'default',
  location: null,
  type: null,
  status: null,
  architecture: null,
  profiles: null,
  description: null,
  image: null,
  addresses: null,
  createdAt: null,
  lastUsedAt: null,
}
const freshness = { kind: 'fresh', asOf: at } as const
const noInstances: InstanceList = { revision: 'e.1', instances: [], freshness, members: [] }
const onServer3 = { ...named, location: 'server3' }

const instanceLists: readonly (readonly [string, Partial<InstanceList>, readonly string[]])[] = [
  ['there are none', {}, ['There are no instances yet', 'incus launch']],
  ['not even their names are known', { freshness: unavailable.freshness }, ['is not known: server3 stopped answering']],
  ['only their names are', { instances: [named] }, ['web-07', 'Unknown', 'Only names and projects are known yet.']],
  [
    'their server never told them',
    { instances: [onServer3], members: [{ name: 'server3', count: 1, freshness: unavailable.freshness }] },
    ['Unknown', 'The state of 1 instance on server3 is not known'],
  ],
  [
    'they are the last known',
    {
      instances: [{ ...onServer3, status: 'Running', profiles: [] }],
      members: [{ name: 'server3', count: 1, freshness: stale }],
    },
    ['Running', 'last known, ', 'The state of 1 instance on server3 is as of'],
  ],
  [
    'Incus has a new word for their state',
    {
      instances: [{ ...onServer3, status: 'Dreaming', type: 'unikernel' }],
      members: [{ name: 'server3', count: 1, freshness }],
    },
    ['Dreaming', 'unikernel'],
  ],
]

function old<T>(value: T) {
  return { value, freshness: stale }
}

const pages = [
  '/clusters/prod',
  '/clusters/prod/members',
  '/clusters/prod/members/server3',
  '/clusters/prod/certificates',
]

describe('T-partial-rows: every page is drawn, and marks what is missing', () => {
  beforeEach(() => {
    // Whatever a page asks for beyond what is known here never comes.
    vi.stubGlobal('fetch', () => new Promise(() => undefined))
  })
  afterEach(() => {
    queryClient.clear()
    vi.unstubAllGlobals()
  })

  describe.each(rows)('when %s', (_, member, mark) => {
    test.each(pages)('%s', async (path) => {
      const html = await draw(path, member)
      expect(html).toContain('Certificates')
      expect(html).not.toContain('could not be shown')
      expect(html).not.toMatch(/undefined|NaN|Invalid Date/)
      expect(html).toContain(path.endsWith('/certificates') ? 'nobody answers' : mark)
    })
  })

  test.each(instanceLists)('the instances, when %s', async (_, list, marks) => {
    queryClient.setQueryData(instanceListQuery('prod').queryKey, { ...noInstances, ...list })
    const html = await draw('/clusters/prod/instances', bare)
    expect(html).not.toContain('could not be shown')
    expect(html).not.toMatch(/undefined|NaN|Invalid Date/)
    for (const mark of marks) expect(html).toContain(mark)
  })

  test('a health record of which nothing was measured', async () => {
    queryClient.setQueryData(memberHealthQuery('prod', 'server3', '24h').queryKey, { record: emptyRecord })
    const html = await draw('/clusters/prod/members/server3/health', bare)
    expect(html).not.toContain('could not be shown')
    expect(html).not.toMatch(/undefined|NaN|Invalid Date/)
    for (const mark of ['nobody asked', 'Nobody has asked it anything', 'Nothing has changed'])
      expect(html).toContain(mark)
  })

  test('trust of which little may be seen, beside an entry that cannot be read', async () => {
    queryClient.setQueryData(trustQuery('prod', { kind: 'any' }).queryKey, bareTrust)
    const html = await draw('/clusters/prod/trust', bare)
    expect(html).not.toContain('could not be shown')
    expect(html).not.toMatch(/undefined|NaN|Invalid Date/)
    for (const mark of ['Unreadable', 'server3 hangs', 'may not be seen', 'access history']) {
      expect(html).toContain(mark)
    }
  })

  test('trust of which nothing is known, and trust that is old', async () => {
    const gone: TrustView = {
      ...bareTrust,
      entries: [],
      freshness: { kind: 'unavailable', reason: 'The cluster database does not answer.' },
    }
    const cases: [TrustView, string][] = [
      [gone, 'Whom the cluster trusts is not known: the cluster database does not answer.'],
      [{ ...bareTrust, freshness: stale }, 'server3 stopped answering'],
    ]
    for (const [trust, mark] of cases) {
      queryClient.setQueryData(trustQuery('prod', { kind: 'any' }).queryKey, trust)
      const html = await draw('/clusters/prod/trust', bare)
      expect(html).not.toContain('could not be shown')
      expect(html).not.toMatch(/undefined|NaN|Invalid Date|nobody that you|0 clients/)
      expect(html).toContain(mark)
    }
  })

  test('access paths of which nothing was measured yet', async () => {
    for (const paths of [[], [barePath]]) {
      queryClient.setQueryData(accessPathsQuery('prod').queryKey, { paths })
      const html = await draw('/clusters/prod/access-paths', bare)
      expect(html).not.toContain('could not be shown')
      expect(html).not.toMatch(/undefined|NaN|Invalid Date/)
      for (const mark of paths.length === 0 ? ['No access path yet'] : ['Measuring', 'not probed yet', 'measuring']) {
        expect(html).toContain(mark)
      }
    }
  })

  test.each(incidents)('an incident of which %s', async (_, fields, marks) => {
    const incident = { ...bareIncident, ...fields }
    queryClient.setQueryData(incidentQuery('prod', 'one').queryKey, { incident })
    queryClient.setQueryData(incidentPagesQuery('prod', {}).queryKey, {
      pages: [{ incidents: [incident], more: false, doubtsHidden: 0, since: null }],
      pageParams: [null],
    })
    for (const path of ['/clusters/prod/incidents/one', '/clusters/prod/incidents']) {
      const html = await draw(path, bare)
      expect(html).not.toContain('could not be shown')
      expect(html).not.toMatch(/undefined|NaN|Invalid Date/)
      for (const mark of marks) expect(html).toContain(mark)
    }
  })

  test.each(operations)('an operation of which %s', async (_, fields, marks) => {
    const operation = { ...bareOperation, ...fields }
    know(bare)
    queryClient.setQueryData(keptOperationsQuery('prod').queryKey, { revision: 1, operations: [operation] })
    queryClient.setQueryData(operationQuery('prod', 'one').queryKey, { operation, told: null })
    for (const path of ['/clusters/prod/operations', '/clusters/prod/operations/one']) {
      const html = await draw(path, bare)
      expect(html).not.toContain('could not be shown')
      expect(html).not.toMatch(/undefined|NaN|Invalid Date/)
      for (const mark of marks) expect(html).toContain(mark)
    }
  })

  test('a list without a single row says so', async () => {
    expect(await draw('/clusters/prod/members', undefined)).toContain('No server of this cluster is known yet.')
    expect(await draw('/clusters/prod', undefined)).toContain('No server of this cluster is known yet.')
  })
})

const nowhere = Array.from({ length: 481 }, () => null)
const emptyRecord: MemberHealthRecord = {
  range: '24h',
  from: at,
  to: at,
  pieceMs: 180_000,
  answer: { p50: nowhere, p95: nowhere, p99: nowhere, slowest: nowhere },
  connect: nowhere,
  tls: nowhere,
  database: nowhere,
  asked: nowhere.map(() => 0),
  failed: nowhere.map(() => 0),
  standings: nowhere,
  percentiles: [{ measure: 'answer', count: 0, p50: null, p95: null, p99: null, slowest: null }],
  failures: [],
  changes: [],
  changesLeftOut: 0,
  changesSince: null,
  marks: [],
  gaps: [],
}

const bareIncident: Incident = {
  id: 'one',
  member: 'server3',
  beganAt: at,
  beginning: 'seen',
  lastAnswerAt: null,
  end: null,
  quietSince: null,
  symptom: null,
  worst: 'ejected',
  relapses: 0,
  outMs: 0,
  requests: { total: 0, hedged: 0, failed: 0, slowed: 0 },
  cluster: { atFirst: null, offlineAt: null, onlineAt: null },
  panic: false,
  gaps: [],
  steps: [],
  stepsLeftOut: 0,
}

const incidents: readonly (readonly [string, Partial<Incident>, readonly string[]])[] = [
  ['nothing is known but that it goes on', {}, ['No answer', 'going on']],
  ['nobody saw the beginning', { beginning: 'found' }, ['at least']],
  ['nobody saw the end', { end: { how: 'unseen', from: at, at } }, ['not known']],
  ['the server is no longer there', { member: 'gone', end: { how: 'left', at } }, ['gone']],
]

const bareOperation: Operation = {
  id: 'one',
  description: '',
  status: 'pending',
  looking: false,
  found: null,
  location: null,
  project: null,
  createdAt: at,
  updatedAt: at,
  heardAt: at,
  endedAt: null,
  progress: null,
  percent: null,
  error: null,
  mayCancel: false,
  resources: [],
  startedBy: null,
}

const operations: readonly (readonly [string, Partial<Operation>, readonly string[]])[] = [
  ['nothing is known but that it waits', {}, ['Waiting']],
  ['its server is gone and its paths are of a newer Incus', { location: 'gone', resources: ['/2.0', ''] }, ['gone']],
  ['the end is being looked for', { status: 'unknown', looking: true }, ['Looking']],
  ['nobody saw the end', { status: 'unknown', found: 'not-done' }, ['Unknown']],
  ['it failed for no reason', { status: 'failure', endedAt: at }, ['Failed', 'Incus gave no reason.']],
]

const barePath: AccessPath = {
  name: 'incus.example.net',
  kind: 'dns',
  target: 'incus.example.net:8443',
  verdict: { level: 'unknown', word: 'Measuring', text: 'Not probed yet.' },
  probedAt: null,
  records: null,
  tlsEnds: 'unknown',
  servers: [
    { name: 'server3', address: null, place: 'unknown', answerMs: null, symptom: null, share: null, note: null },
  ],
  checks: [],
  works: [],
  firstAnswer: { nowMs: null, p50Ms: null, p99Ms: null, clients: 0, costs: [] },
  incidents: [],
  fronts: [],
}

const bareTrust: TrustView = {
  freshness: { kind: 'fresh', asOf: '2026-01-01T00:00:00.000Z' },
  entries: [
    {
      fingerprint: 'f'.repeat(64),
      name: '',
      type: 'other',
      restricted: true,
      projects: [],
      description: '',
      certificate: null,
      isConsole: false,
      lastUse: null,
      findings: [{ severity: 'bad', code: 'unreadable', text: 'It is no certificate.' }],
    },
  ],
  tokens: [],
  tokensFreshness: { kind: 'unavailable', reason: 'server3 hangs' },
  uses: null,
  authorization: null,
  findings: [],
  rotation: { stage: 'settled', problem: null, cannot: null },
  cannotWithdraw: 'This console has no identity of its own.',
  projects: [],
}

async function draw(path: string, member: Member | undefined): Promise<string> {
  know(member)
  router.update({ ...router.options, history: createMemoryHistory({ initialEntries: [path] }) })
  await router.load()
  return renderToString(
    <QueryClientProvider client={queryClient}>
      <RouterProvider router={router} />
    </QueryClientProvider>,
  )
}

const session: SessionView = {
  principal: {
    name: 'Mika Kallio',
    email: null,
    issuer: 'https://idp.example.net',
    subject: 'mika',
    roles: ['admin'],
    tag: 'mika',
  },
  permissions: {
    prod: [
      'member.list',
      'member.read',
      'certificate.read',
      'trust.list',
      'operation.list',
      'operation.read',
      'operation.cancel',
      'instance.list',
      'incident.list',
      'access-path.list',
      'live.read',
      'audit.read',
      'member.evacuate',
    ],
  },
  idleExpiresAt: new Date(Date.now() + 1_800_000).toISOString(),
  expiresAt: new Date(Date.now() + 36_000_000).toISOString(),
  live: null,
}

const cluster: ClusterSummary = {
  name: 'prod',
  reachable: false,
  clustered: null,
  members: { total: 1, answering: 0 },
  worst: 'unknown',
  mode: 'bearer',
  version: null,
  databaseAvailable: null,
  database: { kind: 'unknown' },
  panic: false,
  lateTogether: false,
  certificate: null,
  offlineThresholdSeconds: null,
  findings: [],
}

function know(member: Member | undefined): void {
  const any = { kind: 'any' } as const
  queryClient.setQueryData(sessionQuery.queryKey, session)
  queryClient.setQueryData(clusterListQuery.queryKey, { clusters: [cluster] })
  queryClient.setQueryData(memberListQuery('prod').queryKey, {
    members: member === undefined ? [] : [member],
    groups: [],
    modes: { evacuate: [''], restore: [''] },
  })
  queryClient.setQueryData(healthHistoryQuery('prod').queryKey, { from: at, pieceMs: 2_400_000, members: {} })
  queryClient.setQueryData(operationListQuery('prod').queryKey, {
    operations: [],
    freshness: { kind: 'unavailable', reason: 'nobody answers' },
    members: [],
  })
  queryClient.setQueryData(certificateQuery('prod', any).queryKey, {
    certificate: { value: null, freshness: { kind: 'unavailable', reason: 'nobody answers' } },
    chain: [],
    clustered: null,
    renewal: null,
    namesNeeded: [],
    trust: { kind: 'fingerprints', pins: [] },
    presented: [],
    identity: null,
    findings: [],
  })
  if (member === undefined) return
  const detail: MemberDetail = {
    ...member,
    version: unavailable,
    uptimeSeconds: unavailable,
    clockSkewMs: unavailable,
    pools: unavailable,
    probes: [],
  }
  queryClient.setQueryData(memberQuery('prod', 'server3', any).queryKey, { member: detail })
}
