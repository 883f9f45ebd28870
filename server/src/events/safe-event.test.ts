import { IncusEvent } from '@malleus/shared/incus/event.ts'
import { describe, expect, it } from 'vitest'
import { Seeded } from '../../testing/seeded.ts'
import { safeEvent } from './safe-event.ts'

const mask = (secret: string) => `masked ${secret.length}`
const safe = (event: unknown) => safeEvent(IncusEvent.parse(event), mask)

const timestamp = '2026-11-22T06:12:00.123456789Z'
const lifecycle = (metadata: object) => ({
  type: 'lifecycle',
  timestamp,
  location: 'server1',
  project: 'web',
  metadata: { action: 'instance-updated', source: '/1.0/instances/c1', ...metadata },
})
const operation = (metadata: object, fields: object = {}) => ({
  type: 'operation',
  timestamp,
  location: 'server1',
  project: 'web',
  metadata: { id: 'o1', created_at: timestamp, updated_at: timestamp, status_code: 103, ...fields, metadata },
})
const detailsOf = (metadata: object) => {
  const { metadata: told } = safe(operation(metadata))
  return typeof told === 'object' && told !== null && 'metadata' in told ? told.metadata : undefined
}

describe('an event on its way out', () => {
  it('keeps what Incus said of what was done, also what this version does not know', () => {
    const event = lifecycle({
      name: 'c1',
      requestor: { username: 'mika@example.net', protocol: 'oidc', address: '10.0.0.7:4711' },
      context: { old_name: 'c0', 'storage-pool': 'default' },
      novelty: { of: ['7.1', 3, true, null] },
    })
    expect(safe(event)).toEqual(event)
  })

  it.each<[string, object, object]>([
    [
      'how far it is',
      { create_instance_from_image_unpack_progress: 'Unpack: 12%' },
      { create_instance_from_image_unpack_progress: 'Unpack: 12%' },
    ],
    [
      'its progress in numbers',
      { progress: { percent: '12', stage: 'x' } },
      { progress: { percent: '12', stage: 'x' } },
    ],
    ['what came of it', { fingerprint: 'ab12', size: 4, return: 0 }, { fingerprint: 'ab12', size: 4, return: 0 }],
    [
      'which command was run, and not with what',
      { command: ['mysql', '-p', 'x1'] },
      { command: ['mysql', { $redacted: 'masked 2' }, { $redacted: 'masked 2' }] },
    ],
    ['no environment', { environment: { A: 'b' } }, { environment: { $redacted: 'masked 9' } }],
    [
      'no secret of a websocket, by whichever name',
      { fds: { '0': 'x' }, control: 'abc', fs: 'abcd', secret: 'y' },
      { control: { $redacted: 'masked 3' }, fs: { $redacted: 'masked 4' } },
    ],
    ['no token', { token: 'x', joinToken: 'y', secret: 'z' }, {}],
    ['nothing that this version does not know', { novelty: 'x' }, { novelty: { $redacted: 'masked 1' } }],
  ])('tells of background work %s', (_, metadata, told) => {
    expect(detailsOf(metadata)).toEqual(told)
  })

  it.each([
    'password',
    'user.password',
    'some.secret.key',
    'core.trust_password',
    'private',
    'credentials',
    'apikey',
    'api-key',
    'acme.provider.environment',
    'acme.eab.hmac',
    'cloud-init.user-data',
    'user.vendor-data',
    'volatile.x_key',
    'environment.PATH',
  ])('does not tell the value of %s, wherever it stands', (key) => {
    const told = JSON.stringify(safe(lifecycle({ context: { deep: [{ [key]: 'hidden' }] }, [key]: { a: 'hidden' } })))
    expect(told).not.toContain('hidden')
  })

  it('takes what looks like a secret out of texts', () => {
    const told = JSON.stringify(
      safe(operation({}, { err: 'GET https://jo:hidden@images.example.net/x?token=hidden failed' })),
    )
    expect(told).not.toContain('hidden')
    expect(told).toContain('images.example.net')
  })

  it('is bounded, however large what came is', () => {
    let deep: unknown = 'end'
    for (let at = 0; at < 100; at += 1) deep = { deep }
    const wide = Object.fromEntries(Array.from({ length: 5_000 }, (_, at) => [`k${at}`, 'v'.repeat(9_000)]))
    const text = JSON.stringify(
      safe(lifecycle({ context: { deep, wide, list: Array.from({ length: 9_000 }, () => 1) } })),
    )
    expect(text.length).toBeLessThan(130_000)
    expect(text).not.toContain('end')
  })

  it('T-fuzz: a secret under any name that says so is told nowhere', () => {
    for (let seed = 0; seed < 500; seed += 1) {
      const chance = new Seeded(seed)
      const tree = (depth: number): unknown => {
        if (depth === 0) return chance.oneOf(['a', 1, null, true])
        const keys = ['password', 'secret', 'x.token', 'environment', 'command', 'fds', 'name', 'list', 'y_key']
        const key = chance.oneOf(keys)
        const hides = !['name', 'list'].includes(key)
        const inner = tree(depth - 1)
        if (key === 'command') return { command: ['sh', 'hidden', inner] }
        return { [key]: hides ? { value: 'hidden', inner } : [inner, { next: tree(depth - 1) }] }
      }
      expect(JSON.stringify(safe(lifecycle({ context: { a: tree(4) } }))), `seed ${seed}`).not.toContain('hidden')
    }
  })
})
