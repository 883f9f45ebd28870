import type { FrontKind, GeneratedFront } from '@malleus/shared/api/fronts.ts'
import { frontTitles } from '@malleus/shared/api/fronts.ts'
import { birdBgp, frrBgp } from './bgp.ts'
import { dnsZone } from './dns-zone.ts'
import type { Front, FrontInput } from './front.ts'
import { haproxyPassingThrough, haproxyTerminating } from './haproxy.ts'
import { keepalived } from './keepalived.ts'
import { nginxStream } from './nginx.ts'
import { frrVrrp } from './vrrp.ts'

const writers: Readonly<Record<FrontKind, (input: FrontInput) => Front>> = {
  haproxy: haproxyPassingThrough,
  'haproxy-tls': haproxyTerminating,
  nginx: nginxStream,
  keepalived,
  'frr-vrrp': frrVrrp,
  'frr-bgp': frrBgp,
  'bird-bgp': birdBgp,
  dns: dnsZone,
}

/** Writes the configuration of a front of that kind for the servers given. */
export function generateFront(kind: FrontKind, input: FrontInput): GeneratedFront {
  return { kind, title: frontTitles[kind], ...writers[kind](input) }
}

/** The whole as one text, as a terminal shows it: files under their names, then what to enter. */
export function frontText({ title, files, commands, notes }: GeneratedFront): string {
  const parts = [
    [`# ${title}`, ...notes.map((note) => `# - ${note}`)].join('\n'),
    ...files.map(({ path, on, content }) => `# ---- ${path}${on === null ? '' : ` on ${on}`}\n${content.trimEnd()}`),
    ...commands.map(({ why, on, lines }) => [`# ---- On ${on}. ${why}`, ...lines].join('\n')),
  ]
  return `${parts.join('\n\n')}\n`
}
