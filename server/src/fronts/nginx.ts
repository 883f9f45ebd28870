import { isIPv6 } from 'node:net'
import type { Front, FrontInput } from './front.ts'
import { lines, place } from './front.ts'
import { trustedProxy } from './incus-settings.ts'

/** nginx's stream module, which cannot ask a server whether it answers. */
export function nginxStream(input: FrontInput): Front {
  const { cluster, members, port } = input
  const v6 = members.some(({ host }) => isIPv6(host))
  return {
    files: [
      {
        path: '/etc/nginx/nginx.conf',
        on: null,
        content: lines(
          `# Incus cluster ${cluster}: TLS goes through.`,
          `load_module modules/ngx_stream_module.so;`,
          `events {`,
          `  worker_connections 4096;`,
          `}`,
          `stream {`,
          `  upstream incus {`,
          members.map(({ host, port }) => `    server ${place(host, port)} max_fails=1 fail_timeout=5s;`),
          `  }`,
          `  server {`,
          `    listen ${port};`,
          v6 ? [`    listen [::]:${port} ipv6only=on;`] : [],
          `    proxy_pass incus;`,
          `    proxy_protocol on;`,
          `    proxy_connect_timeout 1s;`,
          `    proxy_next_upstream on;`,
          `    proxy_timeout 1h;`,
          `    proxy_socket_keepalive on;`,
          `  }`,
          `}`,
        ),
      },
    ],
    commands: [trustedProxy(input)],
    notes: [
      'nginx without its commercial checks notices only servers that refuse or do not accept a connection. A server that is stuck accepts them and keeps getting its share: prefer haproxy where that matters.',
      'Where nginx was built with the stream module inside, leave out the first directive.',
    ],
  }
}
