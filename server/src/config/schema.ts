// Every key of malleus.yaml, with what it is for, its default and its range. These names are public: a change of one
// is a breaking change. The reference in the README is generated from here.

import { z } from 'zod'
import { Name } from '@malleus/shared/domain/name.ts'
import { parseEndpoint } from '../clusters/endpoint.ts'
import { healthNumbers } from '../health/health-settings.ts'
import { isNetwork, parseListenAddress } from './address.ts'
import { hedgingNumbers } from '../gateway/gateway-settings.ts'
import { limitNumbers } from './numbers.ts'
import { flag, list, numbers, oneOf, text } from './setting.ts'

const file = (description: string) => text('the path of a file', description)

const listenAddress = (description: string) =>
  text('an address and port, such as 127.0.0.1:8480', description, (value) => parseListenAddress(value) !== undefined)

const network = (description: string) =>
  text('an address or network, such as 10.20.0.0/24 or fd00::/8', description, isNetwork)

const memberAddress = (description: string) =>
  text('an address and port, such as 10.20.0.11:8443', description, isEndpoint)

const port = (description: string) =>
  z
    .int({ error: 'a port from 1 to 65535' })
    .min(1, { error: 'a port from 1 to 65535' })
    .max(65_535, { error: 'a port from 1 to 65535' })
    .meta({ expected: 'a port from 1 to 65535', description })

const fingerprint = (description: string) =>
  text('a SHA-256 fingerprint: 64 hexadecimal digits', description, (value) =>
    /^[0-9a-f]{64}$/i.test(value.replaceAll(':', '')),
  )

const days = (description: string) => {
  const expected = 'a whole number of days from 1 to 36500'
  return z
    .int({ error: expected })
    .min(1, { error: expected })
    .max(36_500, { error: expected })
    .optional()
    .meta({ expected, description })
}

const name = (description: string) =>
  text('a name: letters, digits, dots and hyphens, at most 64', description, (value) => Name.safeParse(value).success)

const tls = z
  .strictObject(
    {
      certificate: file('Certificate that browsers are shown, with its chain, PEM.'),
      key: file('Its private key, PEM.'),
    },
    { error: 'a certificate and a key' },
  )
  .meta({
    expected: 'a certificate and a key',
    description:
      'HTTPS for browsers. Without it the console speaks plain HTTP, which it does on loopback and behind `trustedProxies` only.',
  })

const keys = z
  .strictObject(
    { file: file('The file that holds the keys. It is created at the first start, readable by its owner only.') },
    { error: 'a file' },
  )
  .meta({
    expected: 'a file',
    description:
      'The keys that seal sessions, tag records and sign the access history. By default the file `keys` in the storage folder.',
  })

const oidc = z
  .strictObject(
    {
      issuer: text('an https URL', 'The provider, exactly as its discovery document names itself.', isIssuer),
      clientId: text('the id of this client', 'The client that the provider knows this console as.'),
      clientSecret: text(
        'the secret of this client',
        'Its secret, as the provider gave it. Better `{ file }` or `{ env }` than the text itself. Or `clientKey`.',
      ).optional(),
      clientKey: file(
        'Its private key, PEM, for providers that take a signed statement instead of a secret (`private_key_jwt`): RSA, EC or Ed25519.',
      ).optional(),
      clientKeyId: text('the id of a key', 'What the provider knows that key as, where it knows several.').optional(),
      scopes: list(
        text('a scope', 'One scope.', (value) => /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(value)),
        'a list of scopes',
        'What is asked for at sign-in. `openid` is needed; `offline_access` keeps sessions alive beyond one token.',
      ).default(['openid', 'profile', 'email', 'groups', 'offline_access']),
      audience: text('an audience', 'Asked for as `audience`, for tokens that the members accept.').optional(),
      resource: text(
        'an absolute URI',
        'Asked for as `resource` (RFC 8707), for providers that want it.',
        (value) => URL.canParse(value) && !value.includes('#'),
      ).optional(),
      ca: file('Authorities that vouch for the provider, PEM. By default those of the system.').optional(),
      groupsClaim: text('the name of a claim', 'The claim that lists the groups of a person.').default('groups'),
    },
    { error: 'the settings of the identity provider' },
  )
  .meta({ expected: 'the settings of the identity provider', description: 'How people sign in: OpenID Connect.' })

const grant = z
  .strictObject(
    {
      groups: list(
        text('the name of a group', 'One group.'),
        'a list of at least one group',
        'Groups of the identity provider whose people have this role.',
        1,
      ),
      clusters: list(name('One cluster.'), 'a list of clusters', 'In these clusters only. Default: in all.').optional(),
      projects: list(
        text('the name of a project', 'One project.'),
        'a list of projects',
        'In these projects only, and nothing that changes the cluster as a whole. Default: in all.',
      ).optional(),
    },
    { error: 'groups, and where they have the role' },
  )
  .meta({ expected: 'groups, and where they have the role' })

const grants = (description: string) =>
  z
    .preprocess((value) => (value === undefined || Array.isArray(value) ? value : [value]), z.array(grant))
    .default([])
    .meta({ expected: 'groups, and where they have the role; or a list of such', description })

const rolesSetting = z
  .strictObject(
    {
      viewer: grants('Sees clusters, servers, certificates, instances and operations; no secrets, no access history.'),
      operator: grants('What a viewer sees, and the access history; works with instances in its projects.'),
      admin: grants('Everything: evacuation, certificates, trust, sessions and configuration.'),
      auditor: grants('Reads the access history, and nothing else.'),
    },
    { error: 'roles with their groups' },
  )
  .prefault({})
  .meta({
    expected: 'roles with their groups',
    description: 'Who may do what. A person has the roles of all their groups; whoever has none may do nothing.',
  })

const trust = z
  .strictObject(
    {
      fingerprints: list(
        fingerprint('SHA-256 of the certificate.'),
        'one or two fingerprints',
        'The cluster certificate by its fingerprint; a second one is the announced successor.',
        1,
      )
        .max(2, { error: 'one or two fingerprints' })
        .optional(),
      ca: file('Authorities that vouch for the members, PEM; needs `serverName`.').optional(),
      serverName: text('a host name or address', 'The name that every member’s certificate has to cover.').optional(),
      follow: flag(
        'With fingerprints: a new certificate that the cluster announces over a verified connection becomes the successor by itself.',
      ).default(true),
    },
    { error: 'fingerprints, or ca and serverName' },
  )
  .meta({
    expected: 'fingerprints, or ca and serverName',
    description:
      'How the console knows that it talks to this cluster. Nothing is sent to who presents another certificate.',
  })

const identity = z
  .strictObject(
    {
      certificate: file('Client certificate, PEM; `malleus add-cluster` makes one.'),
      key: file('Its private key, PEM.'),
      unrestricted: flag(
        'Allows it to be one that Incus does not restrict to projects. Such a key is as good as root on every server; it is needed to administer a cluster in certificate mode, and to see the request log and warnings in both.',
      ).default(false),
    },
    { error: 'a certificate and a key' },
  )
  .meta({
    expected: 'a certificate and a key',
    description: 'The console’s own identity, for what it does in the background: deep probes, discovery, events.',
  })

const accessPath = z
  .discriminatedUnion(
    'kind',
    [
      z.strictObject({ kind: z.literal('dns'), name: pathName(), port: port('Port of every address.').default(8443) }),
      z.strictObject({
        kind: z.literal('load-balancer'),
        name: pathName(),
        address: memberAddress('Where it listens.'),
      }),
      z.strictObject({
        kind: z.literal('floating-ip'),
        name: pathName(),
        address: memberAddress('The floating address.'),
      }),
      z.strictObject({ kind: z.literal('ecmp'), name: pathName(), address: memberAddress('The announced address.') }),
      z.strictObject({
        kind: z.literal('member'),
        name: pathName(),
        address: memberAddress('Where that one server answers.'),
      }),
      z.strictObject({ kind: z.literal('local'), name: pathName(), socket: file('The unix socket of a member.') }),
    ],
    { error: 'a path with kind: dns, load-balancer, floating-ip, ecmp, member or local' },
  )
  .meta({ expected: 'a path with kind: dns, load-balancer, floating-ip, ecmp, member or local' })

const webhook = z
  .strictObject(
    {
      url: text('an https URL', 'Where alerts are posted to, as JSON.', isWebAddress),
      token: text('a token', 'Sent as a bearer token. Better `{ file }` or `{ env }` than the text itself.').optional(),
      ca: file('Authorities that vouch for it, PEM. By default those of the system.').optional(),
    },
    { error: 'a url' },
  )
  .meta({ expected: 'a url', description: 'A program that is told, such as a chat room.' })

const email = z
  .strictObject(
    {
      host: text('a host name', 'The mail server (SMTP).'),
      port: port('Its port.').default(587),
      tls: oneOf(
        ['starttls', 'implicit', 'none'],
        '`starttls`: encrypted before anything is said that matters, or not at all. `implicit`: from the first byte, as on port 465. `none`: in the clear, to this machine itself only.',
      ).default('starttls'),
      username: text('a name', 'Who signs in there.').optional(),
      password: text('a password', 'Better `{ file }` or `{ env }` than the text itself.').optional(),
      from: text('an e-mail address', 'Who the mail is from.', isMailbox),
      to: list(
        text('an e-mail address', 'One address.', isMailbox),
        'a list of at least one address',
        'Who is told.',
        1,
      ),
      ca: file('Authorities that vouch for it, PEM. By default those of the system.').optional(),
    },
    { error: 'a host, from and to' },
  )
  .meta({ expected: 'a host, from and to', description: 'People who are told by mail.' })

const alerts = z
  .strictObject({ webhook: webhook.optional(), email: email.optional() }, { error: 'a webhook, email, or both' })
  .prefault({})
  .meta({
    expected: 'a webhook, email, or both',
    description:
      'Who is told, beside those who look at the console, when a certificate ends: at 30, 14, 7, 3 and 1 days.',
  })

const sinkName = () => name('What it is called here; how far it has got is remembered under it.')

const sinkRecords = () => flag('Sends every record too, and not only what is signed of them.').default(false)

const auditSink = z
  .discriminatedUnion(
    'kind',
    [
      z.strictObject({
        kind: z.literal('file'),
        name: sinkName(),
        path: file('Lines are added at its end. It belongs on another disk than the storage folder.'),
        records: sinkRecords(),
      }),
      z.strictObject({
        kind: z.literal('webhook'),
        name: sinkName(),
        url: text('an https URL', 'Gets lines as the body of a POST, `application/x-ndjson`.', isHttps),
        token: text('a token', 'Sent as `Authorization: Bearer`.').optional(),
        ca: file('Authorities that vouch for it, PEM. By default those of the system.').optional(),
        records: sinkRecords(),
      }),
      z.strictObject({
        kind: z.literal('syslog'),
        name: sinkName(),
        address: memberAddress('host:port of a collector that takes syslog over TLS (RFC 5425).'),
        ca: file('Authorities that vouch for it, PEM. By default those of the system.').optional(),
        records: sinkRecords(),
      }),
    ],
    { error: 'a sink with kind: file, webhook or syslog' },
  )
  .meta({ expected: 'a sink with kind: file, webhook or syslog' })

/** One cluster; its shape is also read field by field, to find mistakes beside those that make it unreadable. */
export const ClusterSetting = z
  .strictObject(
    {
      name: name('What the cluster is called here; part of every address of the console.'),
      members: list(
        memberAddress('host:port of one member.'),
        'a list of at least one address',
        'Where some of its members answer. A few are enough, the rest is discovered.',
        1,
      ),
      trust,
      mode: oneOf(
        ['bearer', 'certificate'],
        'Whose authority a request of a person carries: `bearer`, their own access token, so that Incus authorizes and records them; `certificate`, the console’s identity after the console’s own role check, for clusters without OpenID Connect.',
      ).default('bearer'),
      audience: text('an audience', 'Takes the place of `oidc.audience` for this cluster.').optional(),
      identity: identity.optional(),
      memberNetworks: list(
        network('One network.'),
        'a list of networks',
        'Discovered members outside of these are shown and never contacted. Default: exactly the addresses in `members`.',
      ).optional(),
      memberPorts: list(
        port('One port.'),
        'a list of ports',
        'Ports at which discovered members are contacted. Default: those in `members`.',
        1,
      ).optional(),
      proxyProtocol: flag(
        'Begins every connection with a PROXY v1 header, for members that list this console in `core.https_trusted_proxy`.',
      ).default(false),
      requestLog: oneOf(
        ['auto', 'on', 'off'],
        'Whether the access history has the requests that reach the members another way, and whom they refuse: one stream of their log for each member. Needs an identity with `unrestricted: true`. `auto`: in clusters of at most 20 members, and of members that log at most 200 lines per second.',
      ).default('auto'),
      accessPaths: list(
        accessPath,
        'a list of access paths',
        'Ways in which clients reach this cluster: they are probed, and the certificate should cover their names.',
      ).default([]),
      probeNetworks: list(
        network('One network.'),
        'a list of networks',
        'Where the names of access paths may lead this console. Default: public addresses. Addresses of members, and those that are written here as such, are always allowed.',
      ).optional(),
    },
    { error: 'a cluster: name, members and trust' },
  )
  .meta({ expected: 'a cluster: name, members and trust' })

export const Settings = z
  .strictObject(
    {
      publicUrl: text(
        'the https URL of the console without a path, such as https://console.example.net',
        'Where people reach the console. The only source of redirect URIs and of the origin that browsers may come from.',
        isOrigin,
      ),
      listen: listenAddress('Where the console listens for browsers.').default('127.0.0.1:8480'),
      tls: tls.optional(),
      trustedProxies: list(
        network('An address or network.'),
        'a list of addresses or networks',
        'Proxies in front of the console, whose `X-Forwarded-For` is believed.',
      ).default([]),
      management: listenAddress('Where `healthz`, `readyz` and `metrics` are served. Not for the public.').default(
        '127.0.0.1:8481',
      ),
      storage: text(
        'sqlite: and a folder, such as sqlite:./var',
        'Where sessions and the access history are kept: a folder with `malleus.db` and `audit.db`.',
        (value) => /^sqlite:.+/.test(value),
      ).default('sqlite:./var'),
      keys: keys.optional(),
      oidc,
      roles: rolesSetting,
      audit: z
        .strictObject(
          {
            reads: oneOf(
              ['coalesced', 'strict'],
              '`coalesced`: the first of a page, object and person in a minute at once, the count of the rest at its end. `strict`: each one, before it is answered.',
            ).default('coalesced'),
            sinks: list(
              auditSink,
              'a list of sinks',
              'Where copies of what the console signs go, at most a minute after it was recorded, so that a history that was cut off or written anew is found: `malleus audit verify --against`. What cannot be delivered waits on disk, and is delivered at least once.',
            ).default([]),
            retention: z
              .strictObject(
                {
                  console: days('What was done through the console, kept for so many days. By default for ever.'),
                  incus: days('What the clusters tell of themselves, kept for so many days. By default for ever.'),
                },
                { error: 'days by source' },
              )
              .prefault({})
              .meta({
                expected: 'days by source',
                description:
                  'What is older is removed every hour, under a signed tombstone, so that the rest of the history still holds.',
              }),
          },
          { error: 'settings of the access history' },
        )
        .prefault({})
        .meta({ expected: 'settings of the access history', description: 'The access history.' }),
      clusters: list(ClusterSetting, 'a list of at least one cluster', 'The clusters that this console watches.', 1),
      health: numbers(healthNumbers, 'How members are watched, and when one is passed over.').prefault({}),
      hedging: numbers(hedgingNumbers, 'How requests are carried to members.').prefault({}),
      limits: numbers(limitNumbers, 'What the console takes in, keeps and waits for at most.').prefault({}),
      alerts,
      log: z
        .strictObject(
          { level: oneOf(['debug', 'info', 'warn', 'error', 'silent'], 'The least that is written.').default('info') },
          { error: 'settings of the log' },
        )
        .prefault({})
        .meta({ expected: 'settings of the log', description: 'The log: one JSON line per event on standard output.' }),
    },
    { error: 'settings of Malleus' },
  )
  .meta({ expected: 'settings of Malleus' })
export type Settings = z.output<typeof Settings>

function pathName() {
  return text('a name', 'What people call it; for kind `dns`, the name that they look up.', (value) => value !== '')
}

function isEndpoint(value: string): boolean {
  try {
    parseEndpoint(value)
    return true
  } catch {
    return false
  }
}

function isHttps(value: string): boolean {
  return URL.parse(value)?.protocol === 'https:'
}

function isOrigin(value: string): boolean {
  const url = URL.parse(value)
  return url !== null && /^https?:$/.test(url.protocol) && (value === url.origin || value === `${url.origin}/`)
}

function isWebAddress(value: string): boolean {
  const url = URL.parse(value)
  return url !== null && /^https?:$/.test(url.protocol) && url.username === ''
}

function isMailbox(value: string): boolean {
  return /^(?:[^<>@\p{C}]*<[^<>@\s\p{C}]+@[^<>@\s\p{C}]+>|[^<>@\s\p{C}]+@[^<>@\s\p{C}]+)$/u.test(value)
}

function isIssuer(value: string): boolean {
  const url = URL.parse(value)
  return url !== null && /^https?:$/.test(url.protocol) && url.search === '' && url.hash === '' && url.username === ''
}
