// The stand-in is held against real Incus: the same calls, and the same members killed and stopped. What differs here has
// to be changed in the stand-in.

import { X509Certificate } from 'node:crypto'
import { connect } from 'node:net'
import { fingerprintOf, selfSigned } from '@malleus/server/testing/certificate-authority.ts'
import { openEvents, OutOfPatience } from '@malleus/server/testing/stand-in/test-client.ts'
import type { Answer, EventStream, Question } from '@malleus/server/testing/stand-in/test-client.ts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { differences, shapeOf } from './shape.ts'
import { memberNames, openWorlds, whyNoIncus } from './world.ts'
import type { World, Worlds } from './world.ts'

const reason = whyNoIncus()
const long = process.env['MALLEUS_LONG'] === '1'
const ofMinutes = 'waits most of a minute for a cluster without its leader: npm run test:long'
let worlds: Worlds

if (reason !== undefined) {
  const missing = process.env['CI'] === 'true' ? test : test.skip
  missing(`needs a real cluster to compare with: ${reason}`, () => expect.unreachable(reason))
}

describe.skipIf(reason !== undefined)('the stand-in answers as Incus does', () => {
  beforeAll(async () => {
    worlds = await openWorlds()
  })
  afterAll(() => worlds?.close())

  test.each([
    '/',
    '/1.0',
    '/1.0?target=server2',
    '/1.0?target=nobody',
    '/1.0/cluster',
    '/1.0/cluster/members',
    '/1.0/cluster/members?recursion=1',
    '/1.0/cluster/members/server1',
    '/1.0/cluster/members/nobody',
    '/1.0/cluster/members/server1/state',
    '/1.0/cluster/members/server3/state',
    '/1.0/cluster/members/nobody/state',
    '/1.0/cluster/groups',
    '/1.0/cluster/groups?recursion=1',
    '/1.0/cluster/groups/default',
    '/1.0/cluster/groups/nobody',
    '/1.0/instances',
    '/1.0/instances?recursion=1',
    '/1.0/instances?recursion=2',
    '/1.0/instances?all-projects=true',
    '/1.0/instances?all-projects=true&project=default',
    '/1.0/instances?project=nowhere',
    '/1.0/instances/c2',
    '/1.0/instances/c2/state',
    '/1.0/instances/nobody',
    '/1.0/resources',
    '/1.0/resources?target=server3',
    '/1.0/resources?target=nobody',
    '/1.0/resources?target=@default',
    '/1.0/operations/00000000-0000-4000-8000-000000000000',
    '/.well-known/acme-challenge/none',
    '/1.0/certificates',
    '/1.0/certificates?recursion=1',
    '/1.0/certificates/0123',
    '/1.0/projects',
    '/1.0/projects?recursion=1',
    '/1.0/projects/default',
    '/1.0/projects/nowhere',
    '/1.0/profiles',
    '/1.0/profiles?recursion=1',
    '/1.0/profiles/default',
    '/1.0/profiles/nobody',
    '/1.0/warnings',
    '/1.0/warnings?recursion=1',
    '/1.0/nothing',
    '/2.0',
  ])('to GET %s', async (path) => expect(await contradictions(path)).toEqual([]))

  test.each([
    ['PUT', '/1.0/cluster/members', {}],
    ['PATCH', '/1.0/cluster/members', {}],
    ['PROPFIND', '/1.0/cluster/members', undefined],
    ['GET', '/1.0/cluster/certificate', undefined],
    ['PUT', '/1.0/cluster/certificate', { cluster_certificate: 'x', cluster_certificate_key: 'y' }],
    ['POST', '/1.0/cluster/members/server2/state', undefined],
    ['POST', '/1.0/cluster/members/server2/state', { action: 'dance' }],
    ['POST', '/1.0/cluster/members/server2/state', { action: 'evacuate', mode: 'gently' }],
    ['POST', '/1.0/cluster/members/nobody/state', { action: 'evacuate' }],
    ['POST', '/1.0/certificates', { type: 'client', trust_token: 'x' }],
    ['PUT', '/1.0/instances/nobody/state', { action: 'stop' }],
    ['DELETE', '/1.0/operations/00000000-0000-4000-8000-000000000000', undefined],
    ['PUT', '/1.0/operations/00000000-0000-4000-8000-000000000000', {}],
  ])('to %s %s with %j', async (method, path, body) => expect(await contradictions(path, { method, body })).toEqual([]))

  test('to a token that was used', async () => {
    const { real, standIn } = await inBoth(async (world) => {
      const token = await world.trustToken('twice')
      const redeem = {
        method: 'POST',
        body: { type: 'client', trust_token: token },
        client: selfSigned({ commonName: 'once' }),
      }
      const first = await world.ask('/1.0/certificates', redeem)
      const again = await world.ask('/1.0/certificates', redeem)
      const other = await world.ask('/1.0/certificates', { ...redeem, client: selfSigned({ commonName: 'other' }) })
      return [first, again, other].map(outline)
    })
    expect(standIn).toEqual(real)
  })

  test('to a client that is trusted by its certificate, changed, changed by who saw an older one, and removed', async () => {
    const { certificate } = selfSigned({ commonName: 'by-certificate' })
    const path = `/1.0/certificates/${fingerprintOf(certificate)}`
    const { real, standIn } = await inBoth(async (world) => {
      const base64 = new X509Certificate(certificate).raw.toString('base64')
      const entry = { name: 'by-certificate', type: 'client', restricted: false, projects: [] }
      const added = await world.ask('/1.0/certificates', { method: 'POST', body: { ...entry, certificate: base64 } })
      const twice = await world.ask('/1.0/certificates', { method: 'POST', body: { ...entry, certificate: base64 } })
      const seen = await world.ask(path)
      const headers = { 'if-match': seen.headers['etag'] ?? '' }
      const changed = {
        ...entry,
        name: 'changed',
        restricted: true,
        projects: ['default'],
        description: '',
        certificate,
      }
      const first = await world.ask(path, { method: 'PUT', body: changed, headers })
      const late = await world.ask(path, { method: 'PUT', body: { ...changed, name: 'late' }, headers })
      const now = await world.ask(path)
      const removed = await world.ask(path, { method: 'DELETE' })
      const gone = await world.ask(path)
      const { name, restricted, projects, type } = now.raw['metadata'] as Record<string, unknown>
      const answers = [added, twice, seen, first, { ...late, error: late.error.split(':')[0] ?? '' }, removed, gone]
      return { answers: answers.map(outline), now: { name, restricted, projects, type } }
    })
    expect(standIn).toEqual(real)
  })

  test('to a look at the tokens that wait to be redeemed', async () => {
    const { real, standIn } = await inBoth(async (world) => {
      await world.trustToken('waiting')
      const { metadata } = await world.ask('/1.0/operations?recursion=1')
      return (metadata as { running: { metadata: { request?: { name: string } } | null }[] }).running.filter(
        (operation) => operation.metadata?.request?.name === 'waiting',
      )
    })
    expect(differences(shapeOf(real), shapeOf(standIn))).toEqual([])
    expect(standIn).toHaveLength(real.length)
  })

  test('to the cancellation of an operation: one that waits, the same again, and one that has ended', async () => {
    const { real, standIn } = await inBoth(async (world) => {
      await world.trustToken('cancelled')
      const events = await listen(world)
      const { metadata } = await world.ask('/1.0/operations?recursion=1')
      const waiting = (metadata as { running: { id: string; metadata: { request?: { name: string } } | null }[] })
        .running
      const id = waiting.find((operation) => operation.metadata?.request?.name === 'cancelled')?.id ?? ''
      const first = await world.ask(`/1.0/operations/${id}`, { method: 'DELETE', of: 'server2' })
      await events.next((event) => statusOf(event, id) === 'Cancelled')
      const again = await world.ask(`/1.0/operations/${id}`, { method: 'DELETE' })
      const begun = await world.ask('/1.0/instances/c3/state', { method: 'PUT', body: { action: 'start' } })
      await world.ask(`${begun.operation}/wait`, { patienceMs: 60_000 })
      const ended = await world.ask(begun.operation, { method: 'DELETE' })
      const statuses = events.events.flatMap((event) => statusOf(event, id) ?? [])
      events.close()
      return { answers: [first, again, ended].map(outline), statuses }
    })
    expect(standIn).toEqual(real)
  })

  test('to strangers, and to tokens that are no good', async () => {
    const { provider } = worlds
    const stranger = selfSigned({ commonName: 'stranger' })
    const expired = await provider.issueToken({ person: 'ada', expiresIn: -5 })
    const elsewhere = await provider.issueToken({ person: 'ada', audience: 'elsewhere' })
    const forged = `${(await provider.issueToken({ person: 'ada' })).slice(0, -20)}AAAAAAAAAAAAAAAAAAAA`
    const questions: Question[] = [
      {},
      { token: 'garbage' },
      { headers: { authorization: 'Basic x' } },
      { token: expired },
      { token: elsewhere },
    ]
    for (const question of questions) {
      for (const path of ['/1.0', '/1.0/instances', '/1.0/nothing'])
        expect(await contradictions(path, { ...question, client: stranger })).toEqual([])
    }
    const { real, standIn } = await inBoth(
      async (world) => (await world.ask('/1.0', { token: forged, client: stranger })).status,
    )
    expect(standIn).toEqual(real)
  })

  test('to a person with a token, on every member', async () => {
    const token = await worlds.provider.issueToken({ person: 'ada' })
    for (const of of memberNames) {
      const { real, standIn } = await inBoth(async (world) => {
        const { metadata } = await world.ask('/1.0', { token, of, client: selfSigned({ commonName: 'none' }) })
        return pick(metadata, ['auth', 'auth_user_name', 'auth_user_method', 'auth_methods'])
      })
      expect(standIn).toEqual(real)
    }
  })

  test('to a restricted certificate', async () => {
    const restricted = selfSigned({ commonName: 'restricted' })
    const { real, standIn } = await inBoth(async (world) => {
      const token = await world.trustToken('restricted', { restricted: true, projects: ['default'] })
      await world.ask('/1.0/certificates', {
        method: 'POST',
        body: { type: 'client', trust_token: token },
        client: restricted,
      })
    })
    expect(standIn).toEqual(real)
    for (const path of [
      '/1.0',
      '/1.0/projects',
      '/1.0/warnings',
      '/1.0/cluster/members?recursion=1',
      '/1.0/instances?project=nowhere',
    ]) {
      expect(await contradictions(path, { client: restricted })).toEqual([])
    }
    expect(
      await contradictions('/1.0/cluster/members/server2/state', {
        client: restricted,
        method: 'POST',
        body: { action: 'evacuate' },
      }),
    ).toEqual([])
  })

  test('with the extensions it claims to have', async () => {
    const [real, pretended] = await Promise.all([extensions(worlds.incus), extensions(worlds.standIn)])
    expect(pretended.filter((extension) => !real.includes(extension))).toEqual([])
  })

  test('when a member is evacuated and restored: operations, events and what becomes of the instances', async () => {
    for (const body of [{ action: 'evacuate' }, { action: 'evacuate' }, { action: 'restore' }, { action: 'restore' }]) {
      const { real, standIn } = await inBoth(async (world) => {
        const events = await listen(world)
        const begun = await world.ask('/1.0/cluster/members/server2/state', { method: 'POST', body })
        const ended = await world.ask(`${begun.operation}/wait`, { of: 'server3', patienceMs: 60_000 })
        const failed = ended.type === 'error'
        if (!failed) await events.next((event) => actionOf(event).startsWith('cluster-member-'))
        const { metadata: member } = await world.ask('/1.0/cluster/members/server2')
        const { metadata: rows } = await world.ask('/1.0/instances?recursion=1')
        events.close()
        return {
          begun: [outline(begun), pick(begun.metadata, ['class', 'description', 'status', 'may_cancel', 'location'])],
          ended: outline(ended),
          result: pick(ended.metadata, ['class', 'description', 'status', 'resources', 'location', 'metadata']),
          progress: progressOf(events),
          lifecycle: lifecycleOf(events),
          member: pick(member, ['status', 'message']),
          instances: (rows as { name: string; status: string; location: string }[])
            .filter(({ name }) => name === 'c2')
            .map(({ status, location }) => [status, location === 'server2']),
        }
      })
      expect(standIn).toEqual(real)
    }
  })

  test('when an instance is stopped and started, also for nothing', async () => {
    for (const action of ['stop', 'stop', 'start', 'start']) {
      const { real, standIn } = await inBoth(async (world) => {
        const body = { action, force: true }
        const begun = await world.ask('/1.0/instances/c3/state', { method: 'PUT', body })
        const ended = await world.ask(`${begun.operation}/wait`, { patienceMs: 60_000 })
        return [outline(begun), pick(begun.metadata, ['description', 'location', 'resources']), outline(ended)]
      })
      expect(standIn).toEqual(real)
    }
  })

  test('to questions about the event stream', async () => {
    for (const query of ['type=gossip', 'project=nowhere', 'all-projects=true&project=default']) {
      const { real, standIn } = await inBoth(async (world) => {
        const refusal = openEvents(world.address('server1'), query, { client: world.client })
        return refusal.then(
          () => 'opened',
          (error: unknown) => (error instanceof Error ? error.message : error),
        )
      })
      expect(standIn).toEqual(real)
    }
  })
})

describe.skipIf(reason !== undefined)('the stand-in breaks as Incus does', () => {
  beforeAll(async () => {
    worlds = await openWorlds()
  })
  afterAll(() => worlds?.close())

  const local = {
    members: '/1.0/cluster/members?recursion=1',
    projects: '/1.0/projects?recursion=1',
    elsewhere: '/1.0/instances/c2',
  }
  const collected = { instances: '/1.0/instances?recursion=1', operations: '/1.0/operations' }
  const forwarded = {
    target: '/1.0/resources?target=server3',
    state: '/1.0/cluster/members/server3/state',
    instance: '/1.0/instances/c3',
  }

  test('when a member is killed: at first, once it is Offline, and when it is back', async () => {
    const { real, standIn } = await inBoth(async (world) => {
      await world.kill('server3')
      const direct = await outcome(world, '/1.0', { of: 'server3' })
      const early = await outcomes(world, { ...local, ...collected, ...forwarded })
      await untilStatus(world, 'server3', 'Offline')
      const late = await outcomes(world, { ...local, ...collected, ...forwarded }, 5_000)
      await world.mend('server3')
      await untilStatus(world, 'server3', 'Online')
      return { direct, early, late, after: await outcomes(world, local) }
    })
    expect(standIn).toEqual(real)
  })

  test('when a member is stopped: at first, once it is Offline, without its event connection, and when it goes on', async () => {
    const { real, standIn } = await inBoth(async (world) => {
      await world.stop('server3')
      const tcp = await connects(world.address('server3'))
      const direct = await outcome(world, '/1.0', { of: 'server3', patienceMs: 1_000 })
      const early = await outcomes(world, { ...local, ...collected, ...forwarded }, 5_000)
      await untilStatus(world, 'server3', 'Offline')
      const late = await outcomes(world, { ...local, ...collected }, 5_000)
      await untilAnswered(world, forwarded.target)
      const last = await outcomes(world, forwarded, 12_000)
      await world.mend('server3')
      await untilStatus(world, 'server3', 'Online')
      return { tcp, direct, early, late, last, after: await outcomes(world, local) }
    })
    expect(standIn).toEqual(real)
  })
})

describe.skipIf(reason !== undefined)('the stand-in loses its database as Incus does', () => {
  beforeAll(async () => {
    worlds = await openWorlds()
  })
  afterAll(() => worlds?.close())

  const fromMemory = '/1.0'
  const fromDatabase = {
    projects: '/1.0/projects?recursion=1',
    members: '/1.0/cluster/members',
    instances: '/1.0/instances',
  }

  test('when the leader is killed: calls through others stand still, and go on when another one leads', async () => {
    const { real, standIn } = await inBoth(async (world) => {
      const { leader, others } = await rolesIn(world)
      const [of] = others
      await world.kill(leader)
      const early = await outcomes(world, fromDatabase, 2_000, of)
      const alive = await outcome(world, fromMemory, { of })
      const late = await outcomes(world, fromDatabase, 20_000, of)
      await world.mend(leader)
      await untilStatus(world, leader, 'Online', of)
      return { early, alive, late: statusesOf(late), moved: (await rolesIn(world, of)).leader !== leader }
    })
    expect(standIn).toEqual(real)
  })

  test('when the leader is stopped: calls through others stand still for much longer', async ({ skip }) => {
    if (!long) skip(ofMinutes)
    const { real, standIn } = await inBoth(async (world) => {
      const { leader, others } = await rolesIn(world)
      const [of] = others
      await world.stop(leader)
      const early = await outcomes(world, fromDatabase, 15_000, of)
      const alive = await outcome(world, fromMemory, { of })
      await untilAnswered(world, fromDatabase.projects, of)
      const late = await outcomes(world, fromDatabase, 5_000, of)
      await world.mend(leader)
      await untilStatus(world, leader, 'Online', of)
      return { early, alive, late: statusesOf(late) }
    })
    expect(standIn).toEqual(real)
  })

  test('when only the leader is left of three: it answers for a moment, then says in two ways that nobody leads', async ({
    skip,
  }) => {
    if (!long) skip(ofMinutes)
    const { real, standIn } = await inBoth(async (world) => {
      const { leader: of, others } = await rolesIn(world)
      await Promise.all(others.map((name) => world.kill(name)))
      const early = statusesOf(await outcomes(world, fromDatabase, 1_000, of))
      await untilGone(world, fromDatabase.projects, of)
      const alive = await outcome(world, fromMemory, { of })
      const soon = await outcomes(world, fromDatabase, 2_000, of)
      // Those that want to know who leads do not wait as long as the others, but only after the first have.
      await untilSaid(world, fromDatabase.members, 'context deadline exceeded', of)
      const late = await gone(world, fromDatabase.projects, of)
      await Promise.all(others.map((name) => world.mend(name)))
      await untilAnswered(world, fromDatabase.projects, of)
      return { early, alive, soon, late, after: statusesOf(await outcomes(world, fromDatabase, 5_000, of)) }
    })
    expect(standIn).toEqual(real)
  }, 240_000)
})

/** Where the stand-in's answer is not Incus's: status, error, headers that matter, and the shape of what it says. */
async function contradictions(path: string, question: Question = {}): Promise<string[]> {
  const { real, standIn } = await inBoth((world) => world.ask(path, question))
  const [there, here] = [outline(real), outline(standIn)]
  const outlines = Object.keys(there).filter((key) => there[key] !== here[key])
  return [
    ...outlines.map((key) => `${key} is ${here[key]}, in Incus ${there[key]}`),
    ...differences(shapeOf(withoutFacts(real), openMaps), shapeOf(withoutFacts(standIn), openMaps)),
  ]
}

/** The same, done to both at once. */
async function inBoth<T>(happening: (world: World) => Promise<T>): Promise<{ real: T; standIn: T }> {
  const [real, standIn] = await Promise.all([happening(worlds.incus), happening(worlds.standIn)])
  return { real, standIn }
}

/** Maps whose keys somebody chose. */
const openMaps = ['', '[]'].flatMap((at) =>
  [
    'config',
    'expanded_config',
    'devices',
    'expanded_devices',
    'storage_pools',
    'network',
    'disk',
    'state.network',
    'state.disk',
  ]
    .map((key) => `${at}.${key}`)
    .concat([`${at}.environment.kernel_features`, `${at}.environment.lxc_features`]),
)

/** What an answer says without its content. */
function outline(answer: Answer): Record<string, string> {
  const { headers } = answer
  return {
    status: String(answer.status),
    type: answer.type,
    keys: Object.keys(answer.raw).join(' '),
    error: general(answer.error),
    etag: general(headers['etag'] ?? ''),
    location: general(headers.location ?? ''),
    contentType: headers['content-type'] ?? '',
    nosniff: String(headers['x-content-type-options']),
    oidc: ['issuer', 'clientid', 'audience'].map((name) => String(headers[`x-incus-oidc-${name}`])).join(' '),
  }
}

/** A text without what is different in every cluster. */
function general(text: string): string {
  return text
    .replaceAll(/\d+\.\d+\.\d+\.\d+:\d+/g, 'ADDRESS')
    .replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'ID')
    .replaceAll(/[0-9a-f]{64}/g, 'FINGERPRINT')
    .replaceAll(/\d+(\.\d+)?s\b/g, 'SECONDS')
    .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)? \+0000 UTC/g, 'TIME')
}

/** What is in a machine and in an image is no business of the comparison. */
function withoutFacts({ metadata }: Answer): unknown {
  if (typeof metadata !== 'object' || metadata === null) return metadata
  if ('cpu' in metadata && 'pci' in metadata) return pick(metadata, ['memory', 'load'])
  return metadata
}

function pick(value: unknown, keys: readonly string[]): Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return {}
  return Object.fromEntries(Object.entries(value).filter(([key]) => keys.includes(key)))
}

async function extensions(world: World): Promise<string[]> {
  const { metadata } = await world.ask('/1.0')
  return (metadata as { api_extensions: string[] }).api_extensions
}

function listen(world: World): Promise<EventStream> {
  return openEvents(world.address('server1'), 'type=lifecycle,operation&all-projects=true', { client: world.client })
}

function actionOf(event: Record<string, unknown>): string {
  return event['type'] === 'lifecycle' ? (event['metadata'] as { action: string }).action : ''
}

/** The status that an event tells of that operation; nothing where it is about something else. */
function statusOf(event: Record<string, unknown>, id: string): string | undefined {
  if (event['type'] !== 'operation') return undefined
  const operation = event['metadata'] as { id: string; status: string }
  return operation.id === id ? operation.status : undefined
}

/** What the evacuation said of itself, in order; which other member it names is the scheduler's choice. */
function progressOf({ events }: EventStream): string[] {
  const said = events
    .filter(({ type }) => type === 'operation')
    .map(({ metadata }) => metadata as { description: string; metadata: { evacuation_progress?: string } | null })
    .filter(({ description }) => description.endsWith('cluster member'))
    .flatMap(({ metadata }) => metadata?.evacuation_progress ?? [])
    .map((text) => text.replace(/(to|from) "server\d"/, '$1 another'))
  return said.filter((text, index) => text !== said[index - 1])
}

/** What happened, sorted because Incus sends events out of order, with who is said to have caused it. */
function lifecycleOf({ events }: EventStream): unknown[] {
  return events
    .filter(({ type }) => type === 'lifecycle')
    .map((event) => {
      const { action, source, requestor } = event['metadata'] as {
        action: string
        source: string
        requestor?: { protocol: string }
      }
      return [action, source, event['project'], event['location'] === 'server2', requestor?.protocol ?? 'nobody'].join(
        ' ',
      )
    })
    .toSorted()
}

/** What becomes of each question: its status and error, or that nothing came in time. */
async function outcomes(
  world: World,
  questions: Record<string, string>,
  patienceMs = 20_000,
  of = 'server1',
): Promise<Record<string, unknown>> {
  const all = Object.entries(questions).map(
    async ([name, path]) => [name, await outcome(world, path, { patienceMs, of })] as const,
  )
  return Object.fromEntries(await Promise.all(all))
}

async function outcome(world: World, path: string, question: Question & { of?: string } = {}): Promise<unknown> {
  try {
    const answer = await world.ask(path, question)
    return { status: answer.status, error: general(answer.error), rows: rowsOf(answer.metadata) }
  } catch (error) {
    if (error instanceof OutOfPatience) return 'nothing came in time'
    return error instanceof Error && 'code' in error ? error.code : String(error)
  }
}

/** A question that hangs is asked again until it gets an answer, whatever it is. */
async function untilAnswered(world: World, path: string, of = 'server1'): Promise<void> {
  const ask = (): Promise<unknown> => outcome(world, path, { patienceMs: 12_000, of })
  await expect.poll(ask, { timeout: 90_000, interval: 250 }).not.toBe('nothing came in time')
}

/** Until a call is not answered any more. */
async function untilGone(world: World, path: string, of: string): Promise<void> {
  const ask = (): Promise<unknown> => outcome(world, path, { patienceMs: 2_000, of })
  await expect.poll(ask, { timeout: 30_000, interval: 250 }).toBe('nothing came in time')
}

async function untilSaid(world: World, path: string, error: string, of: string): Promise<void> {
  const ask = async (): Promise<unknown> => {
    const answer = await world.ask(path, { patienceMs: 12_000, of }).catch(() => undefined)
    return answer?.status === 500 ? answer.error : undefined
  }
  await expect.poll(ask, { timeout: 90_000, interval: 250 }).toBe(error)
}

/** In which words it is said, when it is said at last, depends on the moment; that the database is meant does not. */
async function gone(world: World, path: string, of: string): Promise<string> {
  const { status, error } = await world.ask(path, { patienceMs: 75_000, of })
  const isMeant = /no available cowsql leader|context deadline exceeded/.test(error)
  return isMeant && (status === 500 || status === 503) ? 'no database' : `${status} ${error}`
}

async function rolesIn(world: World, of = 'server1'): Promise<{ leader: string; others: [string, ...string[]] }> {
  const { metadata } = await world.ask('/1.0/cluster/members?recursion=1', { of })
  const rows = metadata as { server_name: string; roles: string[] }[]
  const [leader] = rows.filter(({ roles }) => roles.includes('database-leader')).map((row) => row.server_name)
  const [other, ...rest] = rows.map((row) => row.server_name).filter((name) => name !== leader)
  if (leader === undefined || other === undefined) throw new Error(`nobody leads ${world.name}`)
  return { leader, others: [other, ...rest] }
}

/** Who is where is not the same in both any more. */
function statusesOf(all: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(all).map(([name, each]) => [
      name,
      typeof each === 'string' ? each : pick(each, ['status', 'error']),
    ]),
  )
}

/** How each row of a list stands: members and instances. */
function rowsOf(metadata: unknown): unknown {
  if (!Array.isArray(metadata)) return undefined
  return metadata.map((row: unknown) => {
    const { message, ...rest } = pick(row, [
      'server_name',
      'name',
      'status',
      'message',
      'config',
      'profiles',
      'status_code',
    ])
    return {
      ...rest,
      ...(typeof message === 'string' ? { message: general(message) } : {}),
      config: rest['config'] === null ? null : 'there',
    }
  })
}

async function untilStatus(world: World, name: string, status: string, of = 'server1'): Promise<void> {
  const current = async (): Promise<unknown> => {
    const { metadata } = await world.ask(`/1.0/cluster/members/${name}`, { of })
    return pick(metadata, ['status'])['status']
  }
  await expect.poll(current, { timeout: 60_000, interval: 250 }).toBe(status)
}

function connects(address: string): Promise<string> {
  const [host = '', port = ''] = address.split(':')
  return new Promise((resolve) => {
    const socket = connect({ host, port: Number(port), timeout: 2_000 })
    const settle = (how: string): void => {
      socket.destroy()
      resolve(how)
    }
    socket.on('connect', () => settle('connects'))
    socket.on('timeout', () => settle('hangs'))
    socket.on('error', () => settle('fails'))
  })
}
