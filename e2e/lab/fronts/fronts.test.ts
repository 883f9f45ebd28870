import { describe, expect, test } from 'vitest'
import { hostsFile } from './dns.ts'
import { challengeProxy, pebbleConfiguration } from './acme.ts'
import { announcing, memberRouting, routerRouting } from './ecmp.ts'
import { haproxyConfiguration, serverStates } from './haproxy.ts'
import { keepalivedConfiguration } from './keepalived.ts'

const members = [
  { name: 'server1', address: '10.77.0.11', host: '10.77.0.11', port: 8443 },
  { name: 'server2', address: '10.77.0.12', host: '10.77.0.12', port: 8443 },
  { name: 'server3', address: '10.77.0.13', host: '10.77.0.13', port: 8443 },
]

describe('the name of a cluster', () => {
  test('has every address', () => {
    expect(hostsFile('incus.test', ['10.77.0.11', '10.77.0.12'])).toBe('10.77.0.11 incus.test\n10.77.0.12 incus.test\n')
  })
})

describe('haproxy', () => {
  test('passes every entrance on to every member', () => {
    const entrances = [
      { bind: '10.77.0.2:8443', check: 'tcp' },
      { bind: '10.77.0.2:8444', check: 'http' },
    ] as const
    const text = haproxyConfiguration(entrances, members)
    for (const { bind } of entrances) expect(text).toContain(`bind ${bind}\n`)
    for (const { name, host } of members) expect(text.split(`server ${name} ${host}:8443\n`)).toHaveLength(3)
  })

  test('asks the API where it should, and only there', () => {
    const http = haproxyConfiguration([{ bind: '127.0.0.1:1', check: 'http' }], members)
    const tcp = haproxyConfiguration([{ bind: '127.0.0.1:1', check: 'tcp' }], members)
    expect(http).toContain('option httpchk GET /1.0\n')
    expect(http).toContain('check-ssl')
    expect(tcp).not.toMatch(/httpchk|check-ssl/)
    expect(tcp).toContain('default-server check ')
  })

  test('has a socket to be asked on only when one is wanted', () => {
    expect(haproxyConfiguration([], members)).not.toContain('stats socket')
    expect(haproxyConfiguration([], members, '/run/it')).toContain('stats socket /run/it mode 600\n')
  })

  test('tells the state of each server, and not of entrances and groups', () => {
    const line = (proxy: string, name: string, state: string): string => `${proxy},${name}${','.repeat(16)}${state},`
    const csv = [
      '# pxname,svname',
      line('incus', 'FRONTEND', 'OPEN'),
      line('members', 'server1', 'UP'),
      line('members', 'server2', 'DOWN'),
      line('members', 'BACKEND', 'UP'),
    ]
    expect(serverStates(`${csv.join('\n')}\n`)).toEqual(['UP', 'DOWN'])
    expect(serverStates('')).toEqual([])
  })
})

describe('keepalived', () => {
  const [own] = members
  const text = own === undefined ? '' : keepalivedConfiguration(own, members, '10.77.0.100', '/run/preference')

  test('tells every other member on a line of its own, or two would hold the address', () => {
    expect(text).toContain('unicast_peer {\n    10.77.0.12\n    10.77.0.13\n  }')
    expect(text).toContain('unicast_src_ip 10.77.0.11\n')
  })

  test('gives the address up when the API of its own member does not answer', () => {
    expect(text).toMatch(/script ".*https:\/\/10\.77\.0\.11:8443\/1\.0"/)
    expect(text).toMatch(/track_script \{\n {4}incus\n/)
  })

  test('is alike on all members but for what they prefer', () => {
    expect(text).toContain('state BACKUP\n')
    expect(text).toContain('file "/run/preference"\n')
  })
})

describe('the routes to a shared address', () => {
  test('a member announces it only while it has it', () => {
    const { bgp } = memberRouting('10.77.0.11', '10.77.0.4', '10.77.0.200')
    expect(bgp).toContain('bgp network import-check\n')
    expect(bgp).toContain('network 10.77.0.200/32\n')
  })

  test('it has it only while its API answers', () => {
    const script = announcing('10.77.0.200', '10.77.0.11')
    expect(script).toMatch(/if .*https:\/\/10\.77\.0\.11:8443\/1\.0; then\n +ip address replace 10\.77\.0\.200\/32/)
    expect(script).toMatch(/else\n +ip address delete 10\.77\.0\.200\/32/)
  })

  test('the router takes all members, and both ends find a lost one by BFD', () => {
    const { bgp, bfd } = routerRouting('10.77.0.4', ['10.77.0.11', '10.77.0.12'])
    expect(bgp).toContain('neighbor 10.77.0.11 bfd profile quick\n')
    expect(bgp).toContain('neighbor 10.77.0.12 bfd profile quick\n')
    expect(bgp).toContain('maximum-paths ')
    expect(memberRouting('10.77.0.11', '10.77.0.4', '10.77.0.200').bgp).toContain(
      'neighbor 10.77.0.4 bfd profile quick\n',
    )
    expect(bfd).toContain('profile quick\n')
  })
})

describe('the way of an ACME challenge', () => {
  test('leads from port 80 to every member, for challenges and nothing else', () => {
    const text = challengeProxy('10.77.0.9', members)
    expect(text).toContain('bind 10.77.0.9:80\n')
    expect(text).toContain('http-request deny unless { path_beg /.well-known/acme-challenge/ }\n')
    for (const { name, host } of members) expect(text).toContain(`server ${name} ${host}:8443 ssl verify none`)
  })

  test('is where the authority looks, and not where pebble would by itself', () => {
    expect(JSON.parse(pebbleConfiguration('a.crt', 'a.key'))).toMatchObject({
      pebble: { httpPort: 80, certificate: 'a.crt', privateKey: 'a.key' },
    })
  })
})
