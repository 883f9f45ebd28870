import { z } from 'zod'
import { endpoint } from './endpoint.ts'

/** What a configuration can be generated for. */
export const FrontKind = z.enum([
  'haproxy',
  'haproxy-tls',
  'nginx',
  'keepalived',
  'frr-vrrp',
  'frr-bgp',
  'bird-bgp',
  'dns',
])
export type FrontKind = z.infer<typeof FrontKind>

/** What each is called. */
export const frontTitles: Readonly<Record<FrontKind, string>> = {
  haproxy: 'haproxy, passing TLS through',
  'haproxy-tls': 'haproxy, terminating TLS',
  nginx: 'nginx, passing TLS through',
  keepalived: 'Floating address with keepalived',
  'frr-vrrp': 'Floating address with FRR (VRRP)',
  'frr-bgp': 'Announced address with FRR (BGP, BFD)',
  'bird-bgp': 'Announced address with BIRD (BGP, BFD)',
  dns: 'DNS round-robin',
}

/** A name or an address: it is written into commands that people copy, so nothing else may be in it. */
export const FrontAddress = z.string().regex(/^[A-Za-z0-9.:-]{1,253}$/)

/** What a generated front consists of: files, what to enter, and what one should know. */
export const GeneratedFront = z.object({
  kind: FrontKind,
  title: z.string(),
  files: z.array(
    z.object({
      path: z.string(),
      /** The server it belongs to; null where it belongs to the front itself. */
      on: z.string().nullable(),
      content: z.string(),
    }),
  ),
  /** Settings of Incus and of the firewall, as one enters them. */
  commands: z.array(z.object({ why: z.string(), on: z.string(), lines: z.array(z.string()) })),
  notes: z.array(z.string()),
})
export type GeneratedFront = z.infer<typeof GeneratedFront>

export const getFront = endpoint({
  method: 'GET',
  path: '/clusters/:cluster/fronts/:kind',
  summary: 'A configuration of a front for the servers that the cluster has now.',
  query: z.strictObject({
    /** The name or address that clients use. */
    address: FrontAddress.optional(),
    /** The address of the router, for those that announce. */
    router: FrontAddress.optional(),
  }),
  reply: GeneratedFront,
})
