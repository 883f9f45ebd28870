import type { CheckLevel } from '@malleus/shared/api/access-paths.ts'
import { describe, expect, test } from 'vitest'
import type { ClusterFacts, ConfiguredPath, PathEvidence, PathMember, SeenCertificate, Visit } from './access-path.ts'
import { connectionsToBeSure } from './check-answers.ts'
import { judgePath } from './judge-path.ts'

const now = Date.UTC(2026, 10, 22, 6)

const member = (n: number, more: Partial<PathMember> = {}): PathMember => ({
  name: `server${n}`,
  address: `10.20.0.1${n}`,
  addresses: [`10.20.0.1${n}`],
  standing: 'healthy',
  symptom: null,
  listens: ':8443',
  ...more,
})
const stuck = { standing: 'ejected', symptom: 'stuck' } as const

const facts = (more: Partial<ClusterFacts> = {}): ClusterFacts => ({
  members: [member(1), member(2), member(3)],
  hasIdentity: true,
  trustedProxies: [],
  oidc: true,
  acmeDomain: '',
  ...more,
})
const withStuck = facts({ members: [member(1), member(2), member(3, stuck)] })

const certificate: SeenCertificate = {
  isCluster: true,
  fingerprint: '9f41'.padEnd(64, '0'),
  names: ['incus.example.net'],
  covers: true,
  expiresAt: now + 90 * 86_400_000,
}

const at = (endpoint: string) => ({ kind: 'endpoint', endpoint: { host: endpoint, port: 8443 } }) as const
const dns: ConfiguredPath = { name: 'incus.example.net', kind: 'dns', target: at('incus.example.net') }
const balancer: ConfiguredPath = { name: 'lb', kind: 'load-balancer', target: at('10.20.0.2') }
const floating: ConfiguredPath = { name: 'vip', kind: 'floating-ip', target: at('10.20.0.100') }
const announced: ConfiguredPath = { name: 'anycast', kind: 'ecmp', target: at('203.0.113.7') }
const single: ConfiguredPath = { name: 'first', kind: 'member', target: at('10.20.0.11') }
const local: ConfiguredPath = { name: 'socket', kind: 'local', target: { kind: 'socket', socket: '/run/unix.socket' } }
const own: ConfiguredPath = {
  name: 'This console',
  kind: 'console',
  target: { kind: 'page', url: 'https://console.example.net', endpoint: { host: 'console.example.net', port: 443 } },
}

interface Shown {
  readonly address?: string
  readonly round?: number
  readonly certificate?: Partial<SeenCertificate>
  readonly incusBehind?: boolean
  readonly recognised?: boolean | null
}

function answered(server: string | null, { address, round = 1, recognised = true, ...shown }: Shown = {}): Visit {
  const seen = { ...certificate, ...shown.certificate }
  return {
    round,
    startedAt: now,
    address: address ?? `10.20.0.1${server?.at(-1) ?? '1'}`,
    end: { kind: 'answered', server, recognised, ms: 6 },
    certificate: seen,
    incusBehind: shown.incusBehind ?? null,
  }
}

type How = Extract<Visit['end'], { kind: 'failed' }>['how']
type Phase = Extract<Visit['end'], { kind: 'failed' }>['phase']

function failed(how: How, address: string, phase: Phase = 'answer', shown: Shown = {}): Visit {
  return {
    round: shown.round ?? 1,
    startedAt: now,
    address,
    end: { kind: 'failed', how, phase, message: 'It said nothing.', ms: 1_000, pending: how === 'silent' },
    certificate: shown.certificate === undefined ? null : { ...certificate, ...shown.certificate },
    incusBehind: shown.incusBehind ?? null,
  }
}

function evidence(visits: readonly Visit[], more: Partial<PathEvidence> = {}): PathEvidence {
  return { visits, records: null, resolveFailure: null, forbidden: [], moves: [], ...more }
}

const record = (address: string, ttlSeconds: number | null = 60) => ({ address, ttlSeconds })
const allThree = [record('10.20.0.11'), record('10.20.0.12'), record('10.20.0.13')]
const threeAnswer = [answered('server1'), answered('server2'), answered('server3')]
const spread = Array.from({ length: 30 }, (_, n) =>
  answered(`server${(n % 3) + 1}`, { address: '203.0.113.7', round: n }),
)
const withoutThird = Array.from({ length: 30 }, (_, n) =>
  answered(`server${(n % 2) + 1}`, { address: '203.0.113.7', round: n }),
)

/** Of a balancer with a certificate of its own, behind which Incus answers. */
const terminated = answered(null, { recognised: false, certificate: { isCluster: false }, incusBehind: true })

type Row = readonly [
  claim: string,
  path: ConfiguredPath,
  seen: PathEvidence,
  known: ClusterFacts,
  verdict: readonly [CheckLevel, string],
  /** Level and beginning of a check that has to be there; null: nothing but good. */
  check: readonly [CheckLevel, string] | null,
]

const rows: readonly Row[] = [
  ['nothing was measured yet', dns, evidence([]), facts(), ['unknown', 'Measuring'], null],

  // DNS round-robin
  [
    'every server is in DNS and answers',
    dns,
    evidence(threeAnswer, { records: allThree }),
    facts(),
    ['good', 'Good'],
    null,
  ],
  [
    'a stuck server stays in DNS',
    dns,
    evidence([answered('server1'), answered('server2'), failed('silent', '10.20.0.13', 'tls')], { records: allThree }),
    withStuck,
    ['bad', 'At risk'],
    ['bad', 'server3 holds clients up'],
  ],
  [
    'a server that is cut off stays in DNS',
    dns,
    evidence([answered('server1'), failed('silent', '10.20.0.13', 'connect')], { records: allThree }),
    withStuck,
    ['bad', 'At risk'],
    ['bad', 'server3 holds clients up'],
  ],
  [
    'a server that refuses is skipped by most',
    dns,
    evidence([answered('server1'), failed('refused', '10.20.0.13', 'connect')], { records: allThree }),
    withStuck,
    ['warning', 'At risk'],
    ['warning', 'server3 turns clients away'],
  ],
  [
    'a starting server holds clients up',
    dns,
    evidence([answered('server1'), failed('starting', '10.20.0.13')], { records: allThree }),
    withStuck,
    ['bad', 'At risk'],
    ['bad', 'server3 holds clients up'],
  ],
  [
    'a server is missing from the record',
    dns,
    evidence([answered('server1'), answered('server2')], { records: allThree.slice(0, 2) }),
    facts(),
    ['warning', 'At risk'],
    ['warning', 'server3 is not in the record'],
  ],
  [
    'the record still has a removed server',
    dns,
    evidence(threeAnswer, { records: [...allThree, record('10.20.0.19')], forbidden: ['10.20.0.19'] }),
    facts(),
    ['bad', 'At risk'],
    ['bad', '10.20.0.19 belongs to no server of the cluster'],
  ],
  [
    'nothing is called a stranger while addresses of servers are not known',
    dns,
    evidence(threeAnswer, { records: [...allThree, record('10.20.0.19')] }),
    facts({ members: [member(1), member(2), member(3), member(4, { addresses: [] })] }),
    ['warning', 'At risk'],
    ['warning', 'server4 is not in the record'],
  ],
  [
    'IPv6 is there for one server only',
    dns,
    evidence(threeAnswer, { records: [...allThree, record('fd00::11')] }),
    facts({ members: [member(1, { addresses: ['10.20.0.11', 'fd00::11'] }), member(2), member(3)] }),
    ['warning', 'At risk'],
    ['warning', 'IPv6 is only half there'],
  ],
  [
    'both families lead to every server',
    dns,
    evidence([answered('server1')], { records: [record('10.20.0.11'), record('fd00::11')] }),
    facts({ members: [member(1, { addresses: ['10.20.0.11', 'fd00::11'] })] }),
    ['good', 'Good'],
    ['good', 'IPv4 and IPv6 lead to every server'],
  ],
  [
    'the record is kept for an hour',
    dns,
    evidence(threeAnswer, { records: allThree.map(({ address }) => record(address, 3_600)) }),
    facts(),
    ['warning', 'At risk'],
    ['warning', 'The record is kept for 3600 s'],
  ],
  [
    'a name of this machine has no TTL, and none is judged',
    dns,
    evidence(threeAnswer, { records: allThree.map(({ address }) => record(address, null)) }),
    facts(),
    ['good', 'Good'],
    null,
  ],
  [
    'the name does not resolve',
    dns,
    evidence([], { resolveFailure: 'The name has no address (ENOTFOUND).' }),
    facts(),
    ['bad', 'Down'],
    ['bad', 'incus.example.net does not resolve'],
  ],
  [
    'nobody answers at any address',
    dns,
    evidence([failed('silent', '10.20.0.11'), failed('silent', '10.20.0.12')], { records: allThree.slice(0, 2) }),
    facts({ members: [member(1, stuck), member(2, stuck)] }),
    ['bad', 'Down'],
    ['bad', 'New clients get no answer'],
  ],

  // Certificates
  [
    'the certificate does not cover the name',
    dns,
    evidence([answered('server1', { certificate: { covers: false } })], { records: allThree }),
    facts(),
    ['warning', 'At risk'],
    ['warning', 'The certificate does not cover incus.example.net'],
  ],
  [
    'the certificate does not cover an address, and people confirmed its fingerprint',
    floating,
    evidence([answered('server1', { address: '10.20.0.100', certificate: { covers: false } })]),
    facts(),
    ['good', 'Good'],
    ['info', 'The certificate does not cover 10.20.0.100'],
  ],
  [
    'a floating address presents another certificate',
    floating,
    evidence([failed('wrong-certificate', '10.20.0.100', 'certificate', { certificate: { isCluster: false } })]),
    facts(),
    ['bad', 'Down'],
    ['bad', 'What answers does not present the certificate of the cluster'],
  ],
  [
    'the certificate expires in a week',
    single,
    evidence([answered('server1', { certificate: { expiresAt: now + 7 * 86_400_000 } })]),
    facts(),
    ['warning', 'At risk'],
    ['warning', 'The certificate on this path expires in 7 days'],
  ],

  // Balancers
  [
    'a balancer passes TLS through',
    balancer,
    evidence([answered('server1')]),
    facts({ trustedProxies: ['10.20.0.2'] }),
    ['good', 'Good'],
    null,
  ],
  [
    'a balancer gives a stopped server connections',
    balancer,
    evidence([answered('server1'), answered('server2'), failed('silent', '10.20.0.2', 'tls')]),
    withStuck,
    ['bad', 'At risk'],
    ['bad', 'server3 still gets connections'],
  ],
  [
    'and is well again once it does not any more',
    balancer,
    evidence([
      failed('silent', '10.20.0.2', 'tls'),
      answered('server1', { round: 3 }),
      answered('server2', { round: 4 }),
    ]),
    facts({ members: [member(1), member(2), member(3, stuck)], trustedProxies: ['10.20.0.2'] }),
    ['good', 'Good'],
    null,
  ],
  [
    'a balancer ends TLS itself, with a certificate of its own',
    balancer,
    evidence([terminated]),
    facts({ trustedProxies: ['10.20.0.2'] }),
    ['info', 'OIDC only'],
    ['info', 'TLS ends before the servers'],
  ],
  [
    'a balancer ends TLS with the certificate of the cluster',
    balancer,
    evidence([answered(null, { recognised: false })]),
    facts({ trustedProxies: ['10.20.0.2'] }),
    ['info', 'OIDC only'],
    ['info', 'TLS ends before the servers'],
  ],
  [
    'a server behind a balancer presents another certificate',
    balancer,
    evidence([
      answered('server1'),
      failed('wrong-certificate', '10.20.0.2', 'certificate', { certificate: { isCluster: false } }),
    ]),
    facts(),
    ['bad', 'At risk'],
    ['bad', 'What answers does not present the certificate of the cluster'],
  ],
  [
    'the client’s address is lost at the balancer',
    balancer,
    evidence([answered('server1')]),
    facts(),
    ['good', 'Good'],
    ['info', 'Incus sees the address of the balancer instead of the client’s'],
  ],
  [
    'a whole network is trusted',
    balancer,
    evidence([answered('server1')]),
    facts({ trustedProxies: ['10.0.0.0/8', '10.20.0.2'] }),
    ['warning', 'At risk'],
    ['warning', 'Whole networks are trusted as proxies'],
  ],
  [
    'a header is sent to servers that trust nobody',
    balancer,
    evidence([failed('closed', '10.20.0.2', 'tls')]),
    facts(),
    ['bad', 'Down'],
    ['bad', 'Connections end in the TLS handshake'],
  ],
  [
    'the balancer itself is gone',
    balancer,
    evidence([failed('refused', '10.20.0.2', 'connect')]),
    facts(),
    ['bad', 'Down'],
    ['bad', 'New clients get no answer'],
  ],

  // Floating addresses
  [
    'one server holds the address',
    floating,
    evidence([answered('server2', { address: '10.20.0.100' })]),
    facts(),
    ['good', 'Good'],
    ['good', 'server2 holds the address'],
  ],
  [
    'the address moved once',
    floating,
    evidence([answered('server2', { address: '10.20.0.100' })], {
      moves: [{ from: 'server1', to: 'server2', at: now, tookMs: 1_600 }],
    }),
    facts(),
    ['good', 'Good'],
    ['good', 'server2 holds the address'],
  ],
  [
    'two servers answer at the address in turns',
    floating,
    evidence(
      [answered('server1', { address: '10.20.0.100' }), answered('server2', { address: '10.20.0.100', round: 2 })],
      {
        moves: [1, 2, 3, 4].map((n) => ({
          from: `server${n % 2 === 1 ? 1 : 2}`,
          to: `server${n % 2 === 1 ? 2 : 1}`,
          at: now,
          tookMs: 1_000,
        })),
      },
    ),
    facts(),
    ['bad', 'At risk'],
    ['bad', 'server1 and server2 answer at the address in turns'],
  ],
  [
    'a server does not listen at a floating address',
    floating,
    evidence([answered('server1', { address: '10.20.0.100' })]),
    facts({ members: [member(1), member(2, { listens: '10.20.0.12:8443' })] }),
    ['warning', 'At risk'],
    ['warning', 'server2 is not listening at this address'],
  ],

  // Announced addresses
  [
    'connections are spread over all',
    announced,
    evidence(spread),
    facts(),
    ['good', 'Good'],
    ['good', 'Connections are spread over every server'],
  ],
  [
    'one server does not announce',
    announced,
    evidence(withoutThird),
    facts(),
    ['warning', 'At risk'],
    ['warning', 'server3 gets no connections'],
  ],
  [
    'the router knows one way only',
    announced,
    evidence(Array.from({ length: 30 }, (_, n) => answered('server1', { address: '203.0.113.7', round: n }))),
    facts(),
    ['warning', 'At risk'],
    ['warning', 'All connections reach server1'],
  ],
  [
    'too few connections say nothing of a missing one',
    announced,
    evidence(withoutThird.slice(0, 8)),
    facts(),
    ['good', 'Good'],
    null,
  ],
  [
    'a stuck server is still announced',
    announced,
    evidence([...spread, answered('server1', { round: 40 }), failed('silent', '203.0.113.7', 'tls', { round: 40 })]),
    withStuck,
    ['bad', 'At risk'],
    ['bad', 'server3 is still announced'],
  ],
  [
    'a stuck server is withdrawn',
    announced,
    evidence([...spread, ...withoutThird.map((visit, n) => ({ ...visit, round: 40 + n }))]),
    withStuck,
    ['good', 'Good'],
    null,
  ],

  // One server, a socket, this console
  ['one server answers', single, evidence([answered('server1')]), facts(), ['good', 'Good'], null],
  [
    'one server is stuck',
    single,
    evidence([failed('silent', '10.20.0.11')]),
    facts({ members: [member(1, stuck)] }),
    ['bad', 'Down'],
    ['bad', 'New clients get no answer'],
  ],
  [
    'a socket answers',
    local,
    evidence([{ ...answered('server1', { recognised: null }), certificate: null }]),
    facts(),
    ['good', 'Good'],
    null,
  ],
  [
    'a socket is gone',
    local,
    evidence([failed('refused', '/run/unix.socket', 'connect')]),
    facts(),
    ['bad', 'Down'],
    ['bad', 'New clients get no answer'],
  ],
  ['this console answers', own, evidence([answered(null, { recognised: null })]), facts(), ['good', 'Good'], null],
  [
    'this console cannot be reached from where it stands',
    own,
    evidence([failed('refused', '192.0.2.1', 'connect')]),
    facts(),
    ['warning', 'At risk'],
    ['warning', 'This console does not reach its own public address'],
  ],

  // Where the console may not go
  [
    'a name leads where the console does not go',
    { ...balancer, target: at('lb.example.net') },
    evidence([], { records: [record('127.0.0.1')], forbidden: ['127.0.0.1'] }),
    facts(),
    ['unknown', 'Not probed'],
    ['unknown', 'lb leads where this console does not go'],
  ],
]

describe('a path is judged by what was seen of it', () => {
  test.each(rows)('%s', (_claim, path, seen, known, [level, word], check) => {
    const { verdict, checks } = judgePath(path, seen, known, now)
    expect(verdict, JSON.stringify(checks, null, 1)).toMatchObject({ level, word })
    const shown = checks.map((each) => [each.level, each.text])
    const expected =
      check === null ? shown.filter(([each]) => each === 'good' || each === 'info') : [...shown, [...check]]
    expect(new Set(shown.map(String))).toEqual(new Set(expected.map(String)))
  })

  test('whatever is not well says how it is mended', () => {
    const unexplained = rows.flatMap(([claim, path, seen, known]) =>
      judgePath(path, seen, known, now)
        .checks.filter(({ level, fix }) => level !== 'good' && !/\w+ \w+/.test(fix?.text ?? ''))
        .map(({ text }) => `${claim}: ${text}`),
    )
    expect(unexplained).toEqual([])
  })

  test('no two checks of a path share an id', () => {
    for (const [claim, path, seen, known] of rows) {
      const ids = judgePath(path, seen, known, now).checks.map(({ id }) => id)
      expect(new Set(ids).size, claim).toBe(ids.length)
    }
  })
})

describe('what works on a path', () => {
  const works = (path: ConfiguredPath, visits: readonly Visit[], known = facts()) =>
    Object.fromEntries(judgePath(path, evidence(visits), known, now).works.map(({ use, works }) => [use, works]))

  test('client certificates do, where TLS ends at a server', () => {
    expect(works(balancer, [answered('server1')])).toMatchObject({
      'client-certificates': 'yes',
      oidc: 'yes',
      'large-uploads': 'yes',
    })
  })

  test('client certificates do not, where it ends before', () => {
    expect(works(balancer, [terminated])).toMatchObject({
      'client-certificates': 'no',
      oidc: 'yes',
      'command-line': 'yes',
      websockets: 'unknown',
    })
  })

  test.each([
    ['dns', dns, 'no'],
    ['ecmp', announced, 'no'],
    ['load-balancer', balancer, 'unknown'],
    ['floating-ip', floating, 'yes'],
    ['member', single, 'yes'],
  ] as const)(
    'signing in to Incus’s own interface through %s is not promised where requests are spread',
    (_, path, expected) => {
      expect(works(path, [answered('server1')])).toMatchObject({ 'own-interface': expected })
    },
  )

  test('nothing is said to work before anything was seen', () => {
    expect(Object.values(works(balancer, [])).filter((value) => value === 'yes')).toEqual([])
  })

  test('OpenID Connect does not where the cluster has none', () => {
    expect(works(single, [answered('server1')], facts({ oidc: false }))).toMatchObject({
      oidc: 'no',
      'own-interface': 'no',
    })
  })
})

describe('the servers of a path', () => {
  const places = (path: ConfiguredPath, seen: PathEvidence, known = facts()) =>
    judgePath(path, seen, known, now).servers.map(({ place, note }) => [place, note])

  test('a server that is not in DNS is off the path', () => {
    expect(places(dns, evidence([answered('server1')], { records: allThree.slice(0, 2) }))).toEqual([
      ['on', null],
      ['on', null],
      ['off', 'not in DNS'],
    ])
  })

  test('the others stand by while one holds a floating address', () => {
    expect(places(floating, evidence([answered('server2')]))).toEqual([
      ['off', 'stands by'],
      ['on', null],
      ['off', 'stands by'],
    ])
  })

  test('which servers a balancer uses is not known before it was seen often enough', () => {
    expect(places(balancer, evidence([answered('server2')]))).toEqual([
      ['unknown', null],
      ['on', null],
      ['unknown', null],
    ])
    expect(places(announced, evidence(withoutThird))[2]).toEqual(['off', 'no connections'])
  })

  test('shares are of the connections whose server is known', () => {
    const shares = judgePath(announced, evidence(spread), facts(), now).servers.map(({ share }) => share)
    expect(shares).toEqual([1 / 3, 1 / 3, 1 / 3])
  })
})

test.each([
  [1, 1],
  [2, 10],
  [3, 18],
  [10, 66],
])('of %i servers, none is missed by chance in %i connections', (servers, connections) => {
  expect(connectionsToBeSure(servers)).toBe(connections)
})
