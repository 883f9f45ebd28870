import { isIPv6 } from 'node:net'
import type { Front, FrontInput } from './front.ts'
import { lines, place } from './front.ts'
import { trustedProxy } from './incus-settings.ts'

/** TLS goes through to the servers, so that client certificates work; the PROXY header tells them who it is. */
export function haproxyPassingThrough(input: FrontInput): Front {
  const { cluster, members } = input
  return {
    files: [
      {
        path: '/etc/haproxy/haproxy.cfg',
        on: null,
        content: lines(
          `# Incus cluster ${cluster}: TLS goes through, a server that does not answer gets no connection.`,
          common('tcp'),
          `frontend incus`,
          binds(input, ''),
          `  default_backend incus-servers`,
          ``,
          `backend incus-servers`,
          `  balance roundrobin`,
          check,
          // Version 1: Incus 6.0.4 reads no other.
          `  default-server check check-ssl verify none check-alpn http/1.1 check-send-proxy send-proxy inter 1s fall 2 rise 2 on-marked-down shutdown-sessions`,
          members.map(({ name, host, port }) => `  server ${name} ${place(host, port)}`),
        ),
      },
    ],
    commands: [trustedProxy(input)],
    notes: [
      'Set core.https_trusted_proxy before you start haproxy: members refuse a connection that begins with a PROXY header from anybody they do not trust.',
      'The check asks GET /1.0 and wants status 200: a stopped server does not answer it, and a starting one answers 503.',
    ],
  }
}

/** TLS ends here: OpenID Connect works through it, client certificates do not. */
export function haproxyTerminating(input: FrontInput): Front {
  const { cluster, members } = input
  return {
    files: [
      {
        path: '/etc/haproxy/haproxy.cfg',
        on: null,
        content: lines(
          `# Incus cluster ${cluster}: TLS ends here, for people who sign in with OpenID Connect.`,
          common('http'),
          `frontend incus`,
          binds(input, ' ssl crt /etc/haproxy/incus-front.pem alpn http/1.1'),
          `  default_backend incus-servers`,
          ``,
          `backend incus-servers`,
          `  # A sign-in to Incus's own interface has to come back to the server it began on.`,
          `  balance source`,
          `  hash-type consistent`,
          check,
          `  default-server check ssl verify required ca-file /etc/haproxy/incus-cluster.crt check-alpn http/1.1 check-send-proxy send-proxy inter 1s fall 2 rise 2 on-marked-down shutdown-sessions`,
          members.map(({ name, host, port }) => `  server ${name} ${place(host, port)}`),
        ),
      },
    ],
    commands: [
      {
        why: 'haproxy believes only servers that present the certificate of the cluster.',
        on: 'the balancer',
        lines: [`scp ${members[0]?.host ?? 'SERVER'}:/var/lib/incus/cluster.crt /etc/haproxy/incus-cluster.crt`],
      },
      trustedProxy(input),
    ],
    notes: [
      'TLS client certificates do not work on this path: the session with them would end here. Offer a second path that passes TLS through to those who need them.',
      `/etc/haproxy/incus-front.pem holds the certificate for ${input.address} with its chain and key.`,
    ],
  }
}

const check: readonly string[] = [
  `  option httpchk`,
  `  http-check send meth GET uri /1.0 ver HTTP/1.1 hdr Host incus`,
  `  http-check expect status 200`,
]

function common(mode: 'tcp' | 'http'): readonly string[] {
  return [
    `global`,
    `  maxconn 4096`,
    ``,
    `defaults`,
    `  mode ${mode}`,
    `  timeout connect 2s`,
    // Consoles, shells and event streams are silent for long.
    `  timeout client 1h`,
    `  timeout server 1h`,
    ...(mode === 'http' ? [`  timeout tunnel 1h`, `  timeout http-request 10s`] : [`  timeout client-fin 30s`]),
    `  option redispatch 1`,
    `  retries 3`,
    ``,
  ]
}

function binds({ members, port }: FrontInput, options: string): readonly string[] {
  const v6 = members.some(({ host }) => isIPv6(host))
  return [`  bind :${port}${options}`, ...(v6 ? [`  bind [::]:${port} v6only${options}`] : [])]
}
