// Who may import whom. A file belongs to the room with the longest matching path below; it may import its own room and
// the rooms and packages listed there, and nothing else. `plugin.mjs` makes each breach a lint error.
//
// Decision, 2026-11-22: a rule of our own rather than `no-restricted-imports` in one override per folder. That rule sees
// the text of a specifier, not the file it names, does not look at `import()`, and of several overrides that match a
// file only the last one counts, so every folder would have to repeat the whole list. Here the map is one table, and
// tests hold it to its word. The price is oxlint's plugin interface, which is young; the rule needs two calls of it.

import path from 'node:path'

const server = (...names) => names.map((name) => `server/src/${name}`)
const web = (...names) => names.map((name) => `web/src/${name}`)

const shared = 'shared/src'
const serverBase = [...server('lib'), shared]
const serverFeature = [
  ...server('gateway', 'lists', 'mutations', 'secrets', 'health', 'clusters', 'live'),
  ...serverBase,
]
const webBase = [...web('lib'), shared]
const webFeature = [...web('components', 'ui', 'api', 'stores'), ...webBase]

/** What neither reads nor writes anything, for rooms that only decide. */
const pure = ['zod', 'node:crypto', 'node:util', 'node:buffer', 'node:net', 'node:events', 'node:timers']

const any = undefined

/**
 * `may`: the rooms (folders or files) a room imports beside itself; `packages`: what it imports from outside the
 * repository, anything when absent. Order does not matter: the longest path that holds a file is its room.
 */
const rooms = new Map([
  [shared, { may: [], packages: ['zod'] }],

  ['server/src/main.ts', { may: ['server/src', shared] }],
  ['server/src/app.ts', { may: ['server/src', shared] }],
  ['server/src/app', { may: ['server/src', shared] }],
  ['server/src/cli', { may: ['server/src', shared] }],
  ['server/src/config.ts', { may: [...server('config', 'health', 'policy', 'clusters', 'gateway'), ...serverBase] }],
  ['server/src/config', { may: [...server('config.ts', 'health', 'policy', 'clusters', 'gateway'), ...serverBase] }],
  ...['members', 'certificates', 'trust', 'operations', 'events', 'incus', 'instances', 'streams'].map(feature),
  ...['discovery', 'incidents', 'alerts', 'fronts', 'figures'].map(feature),
  // It puts what clusters tell into the history, and is told of it beside the events.
  ['server/src/ingest', { may: [...server('audit', 'events'), ...serverFeature] }],
  // The settings of the servers; whoever has one to change asks here, so that none is lost.
  feature('server-config'),
  ['server/src/acme', { may: [...server('server-config'), ...serverFeature] }],
  ['server/src/access-paths', { may: [...server('probes'), ...serverFeature] }],
  ['server/src/lists', { may: [...server('gateway'), ...serverBase] }],
  ['server/src/mutations', { may: [...server('gateway'), ...serverBase] }],
  ['server/src/probes', { may: [...server('gateway/transport.ts', 'health'), ...serverBase] }],
  ['server/src/gateway', { may: [...server('health', 'clusters'), ...serverBase] }],
  ...['session', 'audit', 'http', 'database', 'downloads'].map((name) => [`server/src/${name}`, { may: serverBase }]),
  // What a route is made of is said in the words of the door out and of the session; nothing of them runs here.
  [
    'server/src/http/route.ts',
    { may: [...server('http', 'gateway/request.ts', 'gateway/scope.ts', 'session/principal.ts'), ...serverBase] },
  ],
  ...['health', 'policy', 'clusters', 'live', 'secrets'].map((name) => [
    `server/src/${name}`,
    { may: serverBase, packages: pure },
  ]),
  // A cluster is what its parts are; it only names them.
  [
    'server/src/clusters/cluster.ts',
    { may: [...server('clusters', 'gateway/gateway.ts', 'health/health-board.ts'), ...serverBase] },
  ],
  ['server/src/lib', { may: [] }],

  ['server/testing', { may: ['server/src', shared] }],
  // What plays Incus and the provider must not borrow the ideas of the code it tests.
  ['server/testing/stand-in', { may: ['server/testing/certificate-authority.ts', ...serverBase] }],
  ['server/testing/stand-in-idp.ts', { may: ['server/testing/stand-in-idp', ...serverBase] }],
  ['server/testing/stand-in-idp', { may: [...serverBase] }],

  ['web/src/main.tsx', { may: ['web/src', shared] }],
  ['web/src/app', { may: ['web/src', shared] }],
  ['web/src/features', { may: webFeature }],
  ['web/src/components', { may: [...web('ui', 'api', 'stores'), ...webBase] }],
  ['web/src/ui', { may: web('lib') }],
  ['web/src/api', { may: [...web('stores'), ...webBase] }],
  ['web/src/stores', { may: webBase }],
  ['web/src/lib', { may: [shared] }],

  ['e2e', { may: ['server/testing', shared] }],
  ['tools', { may: [] }],
  ['tools/readme.mjs', { may: ['server/src/config/describe-config.ts', 'server/src/app/describe-metrics.ts'] }],
])

/** Packages that stay at the edge: the only files outside of tests that import them. */
const edges = new Map([
  ['express', ['server/src/http/']],
  ['undici', ['server/src/gateway/transport.ts', 'server/src/lib/outbound.ts', 'server/testing/', 'e2e/']],
  ['openid-client', ['server/src/session/oidc.ts']],
  ['jose', ['server/src/session/', 'server/testing/', 'e2e/']],
  ['oidc-provider', ['server/testing/', 'e2e/']],
  ['node:sqlite', ['server/src/database/']],
  ['pg', ['server/src/database/']],
  ['kysely', ['server/src/database/', /^server\/src\/.*-store(\.\w+)?\.ts$/]],
])

/**
 * Why `importer` may not import `specifier`, as a sentence; nothing when it may.
 *
 * @param {string} importer path from the root of the repository, with forward slashes
 * @param {string} specifier what stands in the import
 */
export function whyNot(importer, specifier) {
  const imported = resolve(importer, specifier)
  if (imported.package !== undefined) return whyNotPackage(importer, imported.package)
  return whyNotFile(importer, imported.file)
}

function whyNotPackage(importer, name) {
  if (isTest(importer)) return undefined
  const edge = edges.get(name)
  if (edge && !edge.some((place) => holds(place, importer))) {
    return `${name} stays at its edge: ${edge.map(String).join(', ')}`
  }
  if (importer.startsWith('web/src/') && name.startsWith('node:')) return `${name} does not exist in a browser`
  const room = roomOf(importer)
  const packages = room?.packages ?? any
  if (packages === any || packages.includes(name)) return undefined
  return `${room.path} imports no packages${packages.length > 0 ? ` but ${packages.join(', ')}` : ''}`
}

function whyNotFile(importer, imported) {
  const room = roomOf(importer)
  if (room === undefined) {
    const known = isTest(importer) || !/^(server|web)\/src\/[^/]+\//.test(importer)
    return known ? undefined : 'This folder is no room yet: say in tools/lint/rooms.mjs what it may import'
  }
  if (isInside(imported, homeOf(room, importer))) return undefined
  const may = [...room.may, ...alsoMay(importer)]
  if (may.some((place) => isInside(imported, place))) return undefined
  return `${room.path} may not import ${imported}: it sees ${may.length > 0 ? may.join(', ') : 'only itself'}`
}

/** What a file may see beyond its room because of what it is. */
function alsoMay(importer) {
  if (isTest(importer)) {
    if (importer.startsWith('server/')) return ['server', shared]
    if (importer.startsWith('web/')) return ['web', shared]
    return []
  }
  const name = path.posix.basename(importer)
  if (!importer.startsWith('server/src/')) return []
  // Routes are data; `http/route.ts` says what a route is and knows nothing of Express.
  if (/^(.+-)?routes\.ts$/.test(name)) return ['server/src/http/route.ts']
  if (/-store(\.\w+)?\.ts$/.test(name)) return ['server/src/database']
  return []
}

/** A feature of the web never sees another: its home is its own folder, not `features/`. */
function homeOf(room, importer) {
  if (room.path !== 'web/src/features') return room.path
  return importer.split('/').slice(0, 4).join('/')
}

function roomOf(file) {
  let found
  for (const [place, room] of rooms) {
    if (isInside(file, place) && place.length > (found?.path.length ?? 0)) found = { path: place, ...room }
  }
  return found
}

function resolve(importer, specifier) {
  if (specifier.startsWith('.')) return { file: path.posix.join(path.posix.dirname(importer), specifier) }
  const own = /^@malleus\/(\w+)(?:\/(.*))?$/.exec(specifier)
  if (own?.[1] === 'shared') return { file: `shared/src/${own[2] ?? ''}` }
  if (own) return { file: `${own[1]}/${own[2] ?? ''}` }
  if (specifier.startsWith('node:')) return { package: specifier.split('/')[0] }
  const parts = specifier.split('/')
  return { package: specifier.startsWith('@') ? parts.slice(0, 2).join('/') : parts[0] }
}

function feature(name) {
  return [`server/src/${name}`, { may: serverFeature }]
}

function holds(place, file) {
  return place instanceof RegExp ? place.test(file) : file.startsWith(place)
}

function isInside(file, place) {
  return file === place || file.startsWith(`${place}/`)
}

function isTest(file) {
  return /\.(test|spec|stories)\.\w+$/.test(file) || file.startsWith('e2e/stories/')
}
