import type { Target } from '@malleus/shared/domain/target.ts'
import { expect, test, vi } from 'vitest'
import { z } from 'zod'
import { fingerprintOf, selfSigned } from '../../testing/certificate-authority.ts'
import { eventually } from '../../testing/eventually.ts'
import { startGatewayWorld } from '../../testing/gateway-world.ts'

vi.setConfig({ testTimeout: 60_000 })

const any: Target = { kind: 'any' }

test('another identity takes over without a request lost, and nothing is asked with the one before once it is gone', async () => {
  await using world = await startGatewayWorld({
    cluster: { answerMs: 20, keepRequests: 100_000 },
    // On a busy machine a handshake takes its time; that is not what this is about.
    limits: { connectMs: 20_000, tlsMs: 20_000 },
  })
  const { cluster, gateway, transport } = world
  const next = selfSigned({ commonName: 'malleus' })
  const nextName = cluster.trust(next.certificate, { name: 'malleus' })
  const old = cluster.state.trust.all().find(({ fingerprint }) => fingerprint !== nextName)?.fingerprint ?? ''

  const ends: string[] = []
  const over = new AbortController()
  const answered = (most: number) =>
    eventually(
      () => ends.length,
      (count) => count >= most,
      30_000,
    )
  const scopes = [{ kind: 'console' }, { kind: 'certificate', key: 'admins', projects: 'all' }] as const
  const asking = Array.from({ length: 6 }, async (_, at) => {
    const scope = scopes[at % scopes.length] ?? scopes[0]
    while (!over.signal.aborted) {
      const request = { class: 'read', scope, target: any, path: '/projects', parse: z.array(z.string()) } as const
      ends.push(
        await gateway.read(request).then(
          () => 'answered',
          (error: unknown) => String(error),
        ),
      )
    }
  })
  await answered(30)
  await transport.useIdentity({ ...next, unrestricted: true })
  // What the old one had begun has been answered: now it can go.
  cluster.state.trust.remove(old)
  const goneAt = cluster.requests.length
  await answered(ends.length + 30)
  over.abort()
  await Promise.all(asking)
  expect(new Set(ends)).toEqual(new Set(['answered']))
  const since = cluster.requests.slice(goneAt).map(({ peerFingerprint }) => peerFingerprint)
  expect(new Set(since)).toEqual(new Set([fingerprintOf(next.certificate)]))
})
