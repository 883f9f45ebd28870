import type { ServerResponse } from 'node:http'

/** What every answer carries, whatever it is; a page has its own policy, and files may be kept. */
export const commonHeaders: readonly (readonly [string, string])[] = [
  ['strict-transport-security', 'max-age=63072000; includeSubDomains'],
  ['x-content-type-options', 'nosniff'],
  ['referrer-policy', 'no-referrer'],
  ['cross-origin-opener-policy', 'same-origin'],
  ['cross-origin-embedder-policy', 'require-corp'],
  ['cross-origin-resource-policy', 'same-origin'],
  ['origin-agent-cluster', '?1'],
  ['x-frame-options', 'DENY'],
  ['permissions-policy', permissionsPolicy()],
  // What is not a page runs nothing and shows nothing, even when someone opens it as one.
  ['content-security-policy', "default-src 'none'; frame-ancestors 'none'; sandbox"],
  ['cache-control', 'no-store'],
]

export function setSecurityHeaders(response: ServerResponse): void {
  for (const [name, value] of commonHeaders) response.setHeader(name, value)
}

/** What the page itself may do: only what carries this response's nonce, and strings never become code. */
export function shellPolicy(nonce: string): string {
  return [
    "default-src 'none'",
    `script-src 'nonce-${nonce}' 'strict-dynamic'`,
    `style-src 'self' 'nonce-${nonce}'`,
    "img-src 'self' data: blob:",
    "font-src 'self'",
    "connect-src 'self'",
    "manifest-src 'self'",
    "worker-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "object-src 'none'",
    "frame-src 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    'trusted-types console',
    'report-to csp',
  ].join('; ')
}

export const reportingEndpoints = 'csp="/reports"'

function permissionsPolicy(): string {
  const denied = [
    'accelerometer',
    'autoplay',
    'camera',
    'display-capture',
    'encrypted-media',
    'fullscreen',
    'gamepad',
    'geolocation',
    'gyroscope',
    'hid',
    'idle-detection',
    'local-fonts',
    'magnetometer',
    'microphone',
    'midi',
    'payment',
    'picture-in-picture',
    'publickey-credentials-create',
    'publickey-credentials-get',
    'screen-wake-lock',
    'serial',
    'storage-access',
    'usb',
    'window-management',
    'xr-spatial-tracking',
  ].map((feature) => `${feature}=()`)
  return ['clipboard-read=(self)', 'clipboard-write=(self)', ...denied].join(', ')
}
