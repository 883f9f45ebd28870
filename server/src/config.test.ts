import { describe, expect, it } from 'vitest'
import { createCertificateAuthority, selfSigned } from '../testing/certificate-authority.ts'
import { configFile, loadConfig } from './config.ts'
import { describeConfig } from './config/describe-config.ts'
import { describeMistakes } from './config/mistake.ts'
import { Settings } from './config/schema.ts'

const pin = '9f41'.repeat(16)
const console1 = selfSigned({ commonName: 'malleus' })
const other = selfSigned({ commonName: 'other' })
const authority = createCertificateAuthority()

const files: Record<string, string> = {
  '/etc/malleus/console.crt': console1.certificate,
  '/etc/malleus/console.key': console1.key,
  '/etc/malleus/other.key': other.key,
  '/etc/malleus/ca.pem': authority.certificate,
  '/etc/malleus/secret': 'hush\n',
  '/etc/malleus/not-pem': 'hello',
}

function load(yaml: string, environment: Record<string, string> = {}) {
  return loadConfig({
    file: '/etc/malleus/malleus.yaml',
    environment,
    readText: (path) => {
      if (path === '/etc/malleus/malleus.yaml') return yaml
      const text = files[path]
      if (text === undefined) throw Object.assign(new Error('no such file'), { code: 'ENOENT' })
      return text
    },
  })
}

const least = `
publicUrl: https://console.example.net
listen: 127.0.0.1:8480
oidc: { issuer: https://idp.example.net, clientId: malleus, clientSecret: { file: secret } }
clusters:
  - name: prod-eu
    members: [10.20.0.11:8443]
    trust: { fingerprints: [${pin}] }
`

function configOf(yaml: string, environment?: Record<string, string>) {
  const loaded = load(yaml, environment)
  if (!loaded.ok) throw new Error(describeMistakes('malleus.yaml', loaded.mistakes))
  return loaded
}

function mistakesOf(yaml: string): string[] {
  const loaded = load(yaml)
  return loaded.ok ? [] : loaded.mistakes.map(({ path, message }) => `${path}: ${message}`)
}

describe('a configuration', () => {
  it('needs little, and has the documented defaults', () => {
    const { config } = configOf(least)
    expect(config).toMatchObject({
      publicUrl: 'https://console.example.net',
      listen: { host: '127.0.0.1', port: 8480 },
      management: { host: '127.0.0.1', port: 8481 },
      tls: null,
      storage: { kind: 'sqlite', folder: '/etc/malleus/var' },
      keysFile: '/etc/malleus/var/keys',
      oidc: { authentication: { kind: 'secret', secret: 'hush' }, groupsClaim: 'groups', audience: null },
      grants: [],
      auditReads: 'coalesced',
      hedging: { delayLeastMs: 30, delayMostMs: 300, attempts: 3 },
      limits: { jsonDepth: 64, requestBurst: 200 },
      health: { lightEveryMs: 500 },
    })
    expect(config.clusters[0]).toMatchObject({
      members: [{ host: '10.20.0.11', port: 8443 }],
      trust: { kind: 'fingerprints', fingerprints: [pin], follow: true },
      mode: 'bearer',
      identity: null,
      memberNetworks: null,
      memberPorts: [8443],
    })
  })

  it('takes the whole example of the documentation', () => {
    const { config, warnings } = configOf(
      `
publicUrl: https://console.example.net/
listen: 0.0.0.0:8480
tls: { certificate: console.crt, key: console.key }
trustedProxies: [192.0.2.1, 10.0.0.0/8]
management: 127.0.0.1:8481
storage: sqlite:./var
keys: { file: secrets/keys }
oidc:
  issuer: https://idp.example.net
  clientId: malleus
  clientSecret: { env: SECRET }
  scopes: [openid, profile, email, groups, offline_access]
  audience: incus
  resource: urn:incus
  ca: ca.pem
  groupsClaim: groups
roles:
  admin:    { groups: [incus-admins] }
  operator: [{ groups: [incus-operators], clusters: [prod-eu], projects: [default, web] }, { groups: [more] }]
  viewer:   { groups: [staff] }
  auditor:  { groups: [audit] }
clusters:
  - name: prod-eu
    members: [10.20.0.11:8443, "[fd00::11]:8443"]
    trust: { ca: ca.pem, serverName: incus.example.net }
    mode: certificate
    identity: { certificate: console.crt, key: console.key, unrestricted: true }
    memberNetworks: [10.20.0.0/24]
    proxyProtocol: false
    accessPaths:
      - { name: incus.example.net, kind: dns, port: 8443 }
      - { name: lb.example.net, kind: load-balancer, address: lb.example.net:8443 }
      - { name: vip, kind: floating-ip, address: 10.20.0.100:8443 }
      - { name: anycast, kind: ecmp, address: 203.0.113.7:8443 }
      - { name: server1 socket, kind: local, socket: /var/lib/incus/unix.socket }
health: { lightTimeoutMs: 800 }
`,
      { SECRET: 'from the environment' },
    )
    expect(warnings).toEqual([])
    expect(config.publicUrl).toBe('https://console.example.net')
    expect(config.oidc.authentication).toEqual({ kind: 'secret', secret: 'from the environment' })
    expect(config.grants).toContainEqual({
      role: 'operator',
      groups: ['incus-operators'],
      clusters: ['prod-eu'],
      projects: ['default', 'web'],
    })
    expect(config.grants).toContainEqual({ role: 'operator', groups: ['more'], clusters: 'all', projects: 'all' })
    expect(config.clusters[0]?.identity?.unrestricted).toBe(true)
    expect(config.health.lightTimeoutMs).toBe(800)
    expect(config.keysFile).toBe('/etc/malleus/secrets/keys')
  })

  it('takes fingerprints as Incus prints them, with colons or capitals', () => {
    const spaced = pin.toUpperCase().match(/../g)!.join(':')
    const { config } = configOf(least.replace(pin, `"${spaced}"`))
    expect(config.clusters[0]?.trust).toMatchObject({ fingerprints: [pin] })
  })

  it('may prove itself to the provider with a key instead of a secret', () => {
    const { config } = configOf(
      least.replace('clientSecret: { file: secret }', 'clientKey: console.key, clientKeyId: k1'),
    )
    expect(config.oidc.authentication).toEqual({ kind: 'private-key', key: console1.key, keyId: 'k1' })
  })

  it('calls a provider over plain http on this machine dangerous, and takes it', () => {
    const { warnings } = configOf(least.replace('https://idp.example.net', 'http://localhost:9000'))
    expect(warnings.join()).toContain('DANGEROUS')
  })
})

describe('a mistake in the configuration has its own sentence', () => {
  it.each([
    ['nothing at all', '', 'publicUrl: is missing; expected the https URL'],
    [
      'a missing part',
      least.replace(/oidc:.*\n/, ''),
      'oidc: is missing; expected the settings of the identity provider',
    ],
    ['an unknown key', `${least}colour: red\n`, 'colour: is not a setting of this version of Malleus'],
    [
      'an unknown key further in',
      least.replace('clientId: malleus', 'clientId: malleus, pkce: no'),
      'oidc.pkce: is not a setting',
    ],
    [
      'a path in the public URL',
      least.replace('example.net\nlisten', 'example.net/console\nlisten'),
      'publicUrl: expected the https URL of the console without a path',
    ],
    [
      'a public URL over http',
      least.replace('https://console.example.net', 'http://console.example.net'),
      'publicUrl: has to be https',
    ],
    [
      'an address without a port',
      least.replace('127.0.0.1:8480', '127.0.0.1'),
      'listen: expected an address and port, such as 127.0.0.1:8480, not "127.0.0.1"',
    ],
    [
      'plain HTTP for everyone',
      least.replace('127.0.0.1:8480', '0.0.0.0:8480'),
      'tls: is missing: the console listens on 0.0.0.0:8480, and speaks plain HTTP only on loopback',
    ],
    [
      'a number as text',
      `${least}hedging: { attempts: many }\n`,
      'hedging.attempts: expected a whole number from 1 to 5, not "many"',
    ],
    [
      'a number out of range',
      `${least}hedging: { attempts: 9 }\n`,
      'hedging.attempts: expected a whole number from 1 to 5, not 9',
    ],
    [
      'half a number',
      `${least}limits: { jsonDepth: 6.5 }\n`,
      'limits.jsonDepth: expected a whole number from 4 to 256, not 6.5',
    ],
    [
      'PostgreSQL',
      `${least}storage: postgres://malleus:pw@db/malleus\n`,
      'storage: PostgreSQL is not supported by this version',
    ],
    ['a storage of another kind', `${least}storage: /var/lib\n`, 'storage: expected sqlite: and a folder'],
    [
      'a proxy that is no address',
      `${least}trustedProxies: [proxy.example.net]\n`,
      'trustedProxies[0]: expected an address or network',
    ],
    [
      'a fingerprint too short',
      least.replace(pin, '9f41'),
      'clusters[0].trust.fingerprints[0]: expected a SHA-256 fingerprint: 64 hexadecimal digits, not "9f41"',
    ],
    [
      'three fingerprints',
      least.replace(`[${pin}]`, `[${pin}, ${pin}, ${pin}]`),
      'clusters[0].trust.fingerprints: expected one or two fingerprints',
    ],
    [
      'no trust at all',
      least.replace(`{ fingerprints: [${pin}] }`, '{}'),
      'clusters[0].trust: expected fingerprints, or ca and serverName',
    ],
    [
      'an authority without a name',
      least.replace(`{ fingerprints: [${pin}] }`, '{ ca: ca.pem }'),
      'clusters[0].trust.serverName: is missing',
    ],
    [
      'both kinds of trust',
      least.replace(`[${pin}] }`, `[${pin}], ca: ca.pem }`),
      'clusters[0].trust: expected fingerprints, or ca and serverName, not both',
    ],
    [
      'a member that is no address',
      least.replace('10.20.0.11:8443', '10.20.0.300:8443'),
      'clusters[0].members[0]: expected an address and port',
    ],
    [
      'no members',
      least.replace('[10.20.0.11:8443]', '[]'),
      'clusters[0].members: expected a list of at least one address, not an empty list',
    ],
    [
      'certificate mode without an identity',
      `${least}    mode: certificate\n`,
      "clusters[0].identity: is missing: in certificate mode it carries people's requests",
    ],
    [
      'another mode',
      `${least}    mode: kerberos\n`,
      'clusters[0].mode: expected bearer or certificate, not "kerberos"',
    ],
    [
      'a file that is not there',
      least.replace('file: secret', 'file: nowhere'),
      'oidc.clientSecret: the file nowhere does not exist',
    ],
    [
      'a variable that is not there',
      least.replace('file: secret', 'env: NOWHERE'),
      'oidc.clientSecret: the environment has no variable NOWHERE',
    ],
    [
      'a certificate that is none',
      `${least}tls: { certificate: not-pem, key: console.key }\n`,
      'tls.certificate: expected a file with a certificate in PEM form',
    ],
    [
      'a key of another certificate',
      `${least}tls: { certificate: console.crt, key: other.key }\n`,
      'tls.key: does not belong to the certificate',
    ],
    ['an issuer over http elsewhere', least.replace('https://idp', 'http://idp'), 'oidc.issuer: has to be https'],
    [
      'neither a secret nor a key',
      least.replace(', clientSecret: { file: secret }', ''),
      'oidc.clientSecret: is missing; expected the secret of this client, or a clientKey',
    ],
    [
      'a secret and a key',
      least.replace('clientSecret:', 'clientKey: console.key, clientSecret:'),
      'oidc: expected clientSecret or clientKey, not both',
    ],
    [
      'a client key that is none',
      least.replace('clientSecret: { file: secret }', 'clientKey: not-pem'),
      'oidc.clientKey: expected a file with a private key',
    ],
    [
      'scopes without openid',
      least.replace('clientId: malleus', 'clientId: malleus, scopes: [email]'),
      'oidc.scopes: has to include openid',
    ],
    [
      'a role in a cluster that is not there',
      `${least}roles: { viewer: { groups: [a], clusters: [prod-us] } }\n`,
      'roles.viewer.clusters[0]: "prod-us" is not one of the clusters below',
    ],
    [
      'a role without groups',
      `${least}roles: { viewer: { groups: [] } }\n`,
      'roles.viewer[0].groups: expected a list of at least one group',
    ],
    ['a role that does not exist', `${least}roles: { root: { groups: [a] } }\n`, 'roles.root: is not a setting'],
    [
      'an access path of another kind',
      `${least}    accessPaths: [{ name: x, kind: magic }]\n`,
      'clusters[0].accessPaths[0].kind: expected a path with kind',
    ],
    [
      'one address for two listeners',
      `${least}management: 127.0.0.1:8480\n`,
      'management: has to be another address than listen',
    ],
    ['a key twice', `${least}listen: 127.0.0.1:8482\n`, ': Map keys must be unique at line'],
    ['text that is no YAML', 'publicUrl: [', ': Flow sequence'],
  ])('%s', (_, yaml, sentence) => {
    expect(mistakesOf(yaml).join('\n')).toContain(sentence)
  })

  it('is listed with all others, and a secret is never quoted', () => {
    const mistakes = mistakesOf(`
publicUrl: nonsense
listen: 0.0.0.0:8480
oidc: { issuer: ftp://x, clientId: malleus, clientSecret: [hunter2] }
clusters:
  - { name: "a b", members: [], trust: {} }
  - { name: c, members: [x], trust: { fingerprints: [z] }, mode: certificate }
`)
    const paths = mistakes.map((mistake) => mistake.slice(0, mistake.indexOf(':')))
    expect(paths).toEqual(
      expect.arrayContaining([
        'publicUrl',
        'tls',
        'oidc.issuer',
        'oidc.clientSecret',
        'clusters[0].name',
        'clusters[0].members',
        'clusters[1].trust.fingerprints[0]',
      ]),
    )
    expect(mistakes.join()).not.toContain('hunter2')
  })

  it('is told beside others that make the same cluster unreadable', () => {
    const mistakes = mistakesOf(`
publicUrl: https://console.example.net
listen: 127.0.0.1:8480
oidc: { issuer: https://idp.example.net, clientId: malleus, clientSecret: { file: secret }, scopes: [email] }
clusters:
  - name: lab
    members: nowhere
    trust: {}
    mode: certificate
  - name: lab
    members: [10.20.0.11:8443]
    trust: { ca: nope.crt, serverName: incus.example.net }
    color: blue
`)
    const paths = mistakes.map((mistake) => mistake.slice(0, mistake.indexOf(':')))
    expect(new Set(paths).size).toBe(paths.length)
    expect(paths).toEqual(
      expect.arrayContaining([
        'oidc.scopes',
        'clusters[0].members',
        'clusters[0].trust',
        'clusters[0].identity',
        'clusters[1].name',
        'clusters[1].trust.ca',
      ]),
    )
  })

  it('is told once when a reference cannot be followed', () => {
    expect(mistakesOf(least.replace('file: secret', 'file: nowhere'))).toHaveLength(1)
  })

  it('says so when there is no file', () => {
    const loaded = loadConfig({ file: '/nowhere/malleus.yaml' })
    expect(loaded).toEqual({
      ok: false,
      mistakes: [{ path: '', message: 'the file /nowhere/malleus.yaml does not exist' }],
    })
  })
})

describe('the file that is read', () => {
  it('is the option, then the variable, then malleus.yaml', () => {
    expect(configFile('a.yaml', { MALLEUS_CONFIG: '/b.yaml' })).toMatch(/\/a\.yaml$/)
    expect(configFile(undefined, { MALLEUS_CONFIG: '/b.yaml' })).toBe('/b.yaml')
    expect(configFile(undefined, {})).toMatch(/\/malleus\.yaml$/)
  })
})

describe('the reference', () => {
  it('describes every key', () => {
    const reference = describeConfig()
    for (const key of Object.keys(Settings.shape)) expect(reference).toContain(key)
    expect(reference).toContain(
      '| `hedging.delayLeastMs` | a whole number from 0 to 5000 | `30` | Milliseconds that a second member',
    )
    expect(reference).toContain('| `roles.*.projects` |')
    expect(reference).toContain('| `clusters[].accessPaths[].port` |')
    expect(reference).not.toContain('undefined')
    expect(reference.split('\n').filter((line) => line.endsWith('|  |'))).toEqual([])
  })
})

describe('alerts', () => {
  const email = 'email: { host: mail.example.net, from: Malleus <m@example.net>, to: [ops@example.net]'

  it('are told nobody by default', () => {
    expect(configOf(least).config.alerts).toEqual({ webhook: null, email: null })
  })

  it('go to a webhook and by mail, encrypted before anything is said', () => {
    const { config } = configOf(
      `${least}\nalerts: { webhook: { url: https://hooks.example.net/T0, token: { file: secret }, ca: ca.pem }, ${email} } }`,
    )
    expect(config.alerts).toEqual({
      webhook: { url: 'https://hooks.example.net/T0', token: 'hush', ca: authority.certificate },
      email: {
        host: 'mail.example.net',
        port: 587,
        tls: 'starttls',
        username: null,
        password: null,
        from: 'Malleus <m@example.net>',
        to: ['ops@example.net'],
        ca: null,
      },
    })
  })

  it.each([
    ['webhook: { url: "http://hooks.example.net/" }', /^alerts.webhook.url: expected https/],
    [`${email}, tls: none }`, /^alerts.email.tls: expected starttls or implicit/],
    [`${email}, username: malleus }`, /^alerts.email: expected username and password, or neither/],
    [
      'email: { host: mail.example.net, from: nobody, to: [ops@example.net] }',
      /^alerts.email.from: expected an e-mail/,
    ],
    ['email: { host: mail.example.net, from: a@b, to: [] }', /^alerts.email.to: expected a list of at least one/],
  ])('with %s are a mistake', (alerts, message) => {
    expect(mistakesOf(`${least}\nalerts: { ${alerts} }`)).toEqual([expect.stringMatching(message)])
  })

  it('may go in the clear to this machine itself', () => {
    const mail = '{ host: localhost, tls: none, from: a@b, to: [a@b] }'
    expect(mistakesOf(`${least}\nalerts: { webhook: { url: "http://127.0.0.1:9000/" }, email: ${mail} }`)).toEqual([])
  })
})
