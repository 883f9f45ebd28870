// Configurations of what can stand in front of a cluster, written from the servers it has. Pure: they are text, for an
// administrator to read, to copy and to change; nothing here reaches anything.
//
// Decision, 2026-11-22: the times in them are those that were measured with a real cluster: checks each second, two
// failures, connections of a server that is out are cut. A check that only connects never sees a stopped server.

import { isIPv6 } from 'node:net'
import type { GeneratedFront } from '@malleus/shared/api/fronts.ts'

export interface FrontMember {
  readonly name: string
  /** A name or an address, IPv6 without brackets. */
  readonly host: string
  readonly port: number
}

export interface FrontInput {
  readonly cluster: string
  readonly members: readonly FrontMember[]
  /** The name or address that clients use. */
  readonly address: string
  /** The port that clients use. */
  readonly port: number
  /** The router that addresses are announced to. */
  readonly router: string
}

/** What stands where something was not given: nobody takes it for an address. */
export const toFillIn = { address: 'ADDRESS', router: 'ROUTER' } as const

export type Front = Omit<GeneratedFront, 'kind' | 'title'>
export type FrontFile = Front['files'][number]
export type FrontCommand = Front['commands'][number]

/** `10.20.0.11:8443`, `[fd00::11]:8443`. */
export function place(host: string, port: number): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`
}

/** `/32` or `/128`. */
export function single(address: string): string {
  return `${address}/${isIPv6(address) ? 128 : 32}`
}

/** Lines with the first one flush, each ended. */
export function lines(...all: readonly (string | readonly string[])[]): string {
  return `${all.flat().join('\n')}\n`
}

/** A question to one server's API that gives up after a second: what each careful front bases its judgement on. */
export function askApi({ host, port }: Pick<FrontMember, 'host' | 'port'>): string {
  return `curl --silent --fail --insecure --max-time 1 --output /dev/null https://${place(host, port)}/1.0`
}
