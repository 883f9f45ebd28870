import type { ConfiguredPath } from './access-path.ts'
import { parseEndpoint } from '../clusters/endpoint.ts'

/** A path as it stands in the configuration. */
export type PathSetting =
  | { readonly kind: 'dns'; readonly name: string; readonly port: number }
  | {
      readonly kind: 'load-balancer' | 'floating-ip' | 'ecmp' | 'member'
      readonly name: string
      readonly address: string
    }
  | { readonly kind: 'local'; readonly name: string; readonly socket: string }

/** The paths of a cluster, and this console's own address as one more where there are any. */
export function configuredPaths(settings: readonly PathSetting[], publicUrl: string): ConfiguredPath[] {
  if (settings.length === 0) return []
  return [...settings.map(pathOf), consolePath(publicUrl)]
}

function pathOf(setting: PathSetting): ConfiguredPath {
  const { name, kind } = setting
  switch (setting.kind) {
    case 'local':
      return { name, kind, target: { kind: 'socket', socket: setting.socket } }
    case 'dns':
      return { name, kind, target: { kind: 'endpoint', endpoint: { host: name, port: setting.port } } }
    default:
      return { name, kind, target: { kind: 'endpoint', endpoint: parseEndpoint(setting.address) } }
  }
}

function consolePath(publicUrl: string): ConfiguredPath {
  const { hostname, port, protocol } = new URL(publicUrl)
  const host = hostname.replaceAll(/^\[|\]$/g, '')
  const endpoint = { host, port: port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port) }
  return { name: 'This console', kind: 'console', target: { kind: 'page', url: publicUrl, endpoint } }
}
