import { isIP } from 'node:net'
import type { Front, FrontInput } from './front.ts'
import { lines } from './front.ts'

/** So long a client goes on with an answer that was changed. */
export const zoneTtlSeconds = 60

/** A record for each server. Where a server has only a name here, its own records have to be entered by hand. */
export function dnsZone({ cluster, members, address }: FrontInput): Front {
  const name = address.endsWith('.') ? address : `${address}.`
  const records = members.map(({ name: member, host }) => {
    const type = isIP(host) === 6 ? 'AAAA' : 'A'
    return isIP(host) === 0
      ? `; ${member} is known here by the name ${host}: enter its addresses`
      : `${name} ${zoneTtlSeconds} IN ${type} ${host} ; ${member}`
  })
  const families = new Set(members.map(({ host }) => isIP(host)).filter((version) => version !== 0))
  return {
    files: [{ path: 'zone', on: null, content: lines(`; Incus cluster ${cluster}`, records) }],
    commands: [],
    notes: [
      'A server that refuses is skipped at once; one that is stuck or cut off costs a client that begins with it a whole time-out. Nothing in DNS helps against that: put a balancer in front, or take the record out by hand.',
      `The certificate has to cover ${address}.`,
      ...(families.size > 1
        ? [
            'Servers are known here by addresses of both families: give each server both, or clients of one family reach only some.',
          ]
        : []),
    ],
  }
}
