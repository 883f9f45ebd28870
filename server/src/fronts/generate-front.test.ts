import { FrontKind } from '@malleus/shared/api/fronts.ts'
import { describe, expect, test } from 'vitest'
import type { FrontInput } from './front.ts'
import { frontText, generateFront } from './generate-front.ts'

const members = [
  { name: 'server1', host: '10.20.0.11', port: 8443 },
  { name: 'server2', host: '10.20.0.12', port: 8443 },
  { name: 'server3', host: '10.20.0.13', port: 8443 },
]
const v4: FrontInput = { cluster: 'prod', members, address: '10.20.0.100', port: 8443, router: '10.20.0.1' }
const v6: FrontInput = {
  cluster: 'prod',
  members: [
    { name: 'server1', host: 'fd00::11', port: 8443 },
    { name: 'server2', host: 'fd00::12', port: 8443 },
  ],
  address: 'fd00::100',
  port: 8443,
  router: 'fd00::1',
}

const contentOf = (kind: FrontKind, input: FrontInput, path: RegExp, on: string | null = null) =>
  generateFront(kind, input).files.find((file) => path.test(file.path) && file.on === on)?.content ?? ''

const commandsOf = (kind: FrontKind, input: FrontInput) =>
  generateFront(kind, input)
    .commands.flatMap(({ lines }) => lines)
    .join('\n')

describe.each(FrontKind.options)('a configuration of %s', (kind) => {
  test('names every server, and nothing is left to be filled in that is known', () => {
    const text = frontText(generateFront(kind, v4))
    for (const { host } of members) expect(text).toContain(host)
    expect(text).not.toMatch(/undefined|\bnull\b(?<!\/dev\/null)|NaN|\[object/)
  })

  test('is of the servers that are there, and of no other', () => {
    const [first] = members
    const text = frontText(generateFront(kind, { ...v4, members: first === undefined ? [] : [first] }))
    expect(text).toContain('10.20.0.11')
    expect(text).not.toContain('10.20.0.12')
  })

  test('writes IPv6 as that program reads it', () => {
    const text = frontText(generateFront(kind, v6))
    expect(text).toContain('fd00::11')
    // An address with a port after it has brackets, whoever reads it.
    expect(text).not.toMatch(/fd00::1[12]:8443/)
  })
})

describe('haproxy', () => {
  test('asks the API of every server, through TLS and with the header it sends itself', () => {
    const text = contentOf('haproxy', v4, /haproxy/)
    expect(text).toContain('http-check send meth GET uri /1.0')
    expect(text).toContain('http-check expect status 200')
    expect(text).toMatch(/default-server .*check-ssl .*check-send-proxy .*on-marked-down shutdown-sessions/)
  })

  test('sends the header in the version that every Incus reads', () => {
    expect(contentOf('haproxy', v4, /haproxy/)).toMatch(/ send-proxy /)
    expect(contentOf('haproxy', v4, /haproxy/)).not.toContain('send-proxy-v2')
    expect(commandsOf('haproxy', v4)).toContain('core.https_trusted_proxy=10.20.0.100')
  })

  test('a balancer that is known by a name only is not written where an address belongs', () => {
    expect(commandsOf('haproxy', { ...v4, address: 'lb.example.net' })).toContain('=ADDRESS-OF-THE-BALANCER')
  })

  test('listens for IPv6 where servers have it, and only there', () => {
    expect(contentOf('haproxy', v4, /haproxy/)).not.toContain('[::]')
    expect(contentOf('haproxy', v6, /haproxy/)).toContain('bind [::]:8443 v6only')
  })

  test('that ends TLS believes servers by their certificate, and keeps a client at one of them', () => {
    const text = contentOf('haproxy-tls', v4, /haproxy/)
    expect(text).toMatch(/ssl verify required ca-file/)
    expect(text).toContain('balance source')
    expect(generateFront('haproxy-tls', v4).notes.join(' ')).toContain('client certificates do not work')
  })
})

test('nginx says that it does not see a stuck server', () => {
  expect(generateFront('nginx', v4).notes.join(' ')).toContain('stuck')
  expect(contentOf('nginx', v4, /nginx/)).toContain('server 10.20.0.12:8443 max_fails=1')
})

describe('keepalived', () => {
  test('has each peer on a line of its own, and never the server itself', () => {
    const text = contentOf('keepalived', v4, /keepalived\.conf/, 'server2')
    expect(text).toContain('unicast_peer {\n    10.20.0.11\n    10.20.0.13\n  }')
    expect(text).toContain('unicast_src_ip 10.20.0.12\n')
  })

  test('gives the address up by a check of the own API', () => {
    expect(contentOf('keepalived', v4, /check-incus/, 'server2')).toContain('https://10.20.0.12:8443/1.0')
    expect(contentOf('keepalived', v4, /keepalived\.conf/, 'server2')).toMatch(/track_script \{\n +incus\n/)
  })

  test('no two servers are preferred alike', () => {
    const priorities = members.map(
      ({ name }) => /priority (\d+)/.exec(contentOf('keepalived', v4, /keepalived\.conf/, name))?.[1],
    )
    expect(new Set(priorities).size).toBe(3)
  })
})

describe('an address that several servers have', () => {
  test.each(['keepalived', 'frr-vrrp', 'frr-bgp', 'bird-bgp'] as const)(
    '%s has every server listen at it, and leads clients to it only',
    (kind) => {
      const commands = commandsOf(kind, v4)
      for (const { name } of members) expect(commands).toContain(`core.https_address=:8443 --target ${name}`)
      expect(commands).toContain('daddr 10.20.0.100/32 tcp dport 8443 accept')
      expect(commands.indexOf('drop')).toBeGreaterThan(commands.indexOf('accept'))
    },
  )

  test.each([
    ['frr-bgp', v4, 'network 10.20.0.100/32'],
    ['frr-bgp', v6, 'network fd00::100/128'],
    ['bird-bgp', v4, 'net = 10.20.0.100/32'],
    ['bird-bgp', v6, 'net = fd00::100/128'],
  ] as const)('%s announces it alone', (kind, input, line) => {
    expect(contentOf(kind, input, /frr\.conf|bird\.conf/, 'server1')).toContain(line)
  })

  test.each(['frr-bgp', 'bird-bgp'] as const)(
    '%s finds a lost server by BFD, and takes the address from a silent one',
    (kind) => {
      expect(contentOf(kind, v4, /frr\.conf|bird\.conf/, 'server1')).toMatch(/bfd (profile incus|on)/)
      const script = contentOf(kind, v4, /announce/, 'server1')
      expect(script).toMatch(/if curl .*10\.20\.0\.11:8443\/1\.0; then\n +ip address replace 10\.20\.0\.100\/32/)
      expect(script).toMatch(/else\n +ip address delete 10\.20\.0\.100\/32/)
    },
  )

  test('BIRD is given no words of its own language for names', () => {
    expect(contentOf('bird-bgp', v4, /bird\.conf/, 'server1')).not.toMatch(/protocol \w+ (router|bgp|bfd|direct)\b/)
  })

  test('VRRP uses the hardware address of its group', () => {
    expect(contentOf('frr-vrrp', v4, /interface/, 'server1')).toContain('00:00:5e:00:01:33')
    expect(contentOf('frr-vrrp', v4, /frr\.conf/, 'server1')).toContain('vrrp 51 ip 10.20.0.100')
  })
})

describe('lines of a zone', () => {
  test('are of the family that each server has', () => {
    const mixed = { ...v4, members: [...members, ...v6.members], address: 'incus.example.net' }
    const text = contentOf('dns', mixed, /zone/)
    expect(text).toContain('incus.example.net. 60 IN A 10.20.0.11 ; server1')
    expect(text).toContain('incus.example.net. 60 IN AAAA fd00::11 ; server1')
    expect(generateFront('dns', mixed).notes.join(' ')).toContain('both families')
  })

  test('leave out what is no address', () => {
    const named = { ...v4, members: [{ name: 'server1', host: 'one.example.net', port: 8443 }] }
    expect(contentOf('dns', named, /zone/)).toMatch(/^; server1 is known here by the name/m)
  })
})
