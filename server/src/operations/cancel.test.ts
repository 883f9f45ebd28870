import type { Operation } from '@malleus/shared/api/operations.ts'
import { expect, it, test } from 'vitest'
import type { WriteRequest } from '../gateway/request.ts'
import { cancelOperation } from './cancel.ts'
import { CannotCancel, NoSuchOperation } from './operation-error.ts'

const running: Operation = {
  id: 'op1',
  description: 'Downloading image',
  status: 'running',
  looking: false,
  found: null,
  location: 'server3',
  project: 'web',
  createdAt: '2026-01-01T00:00:00.000Z',
  updatedAt: '2026-01-01T00:00:00.000Z',
  heardAt: '2026-01-01T00:00:00.000Z',
  endedAt: null,
  progress: null,
  percent: null,
  error: null,
  mayCancel: true,
  resources: [],
  startedBy: null,
}

function cancel(
  operation: Operation,
  { symptom = null, project = 'web' }: { symptom?: 'stuck' | null; project?: string | null } = {},
) {
  const sent: WriteRequest<unknown>[] = []
  const answer = { operation: null, etag: null, via: 'server3', attempts: 1, hedged: false }
  const ports = {
    operations: { get: async () => ({ operation, told: null }) },
    gateway: {
      write: async <Parsed>(request: WriteRequest<Parsed>) => {
        sent.push(request)
        return { ...answer, value: request.parse.parse(null) }
      },
    },
    directory: { get: (name: string) => (name === 'server3' ? {} : undefined) },
    board: { current: () => ({ standing: 'healthy', symptom }) as const },
  }
  const cancelling = cancelOperation(ports, { scope: { kind: 'console' }, target: { kind: 'any' } }, 'op1', project)
  return { cancelling, sent }
}

it('is asked for once, of the server that does the work', async () => {
  const { cancelling, sent } = cancel(running)
  expect((await cancelling).operation).toEqual(running)
  expect(sent).toMatchObject([
    { method: 'DELETE', path: '/operations/op1', target: { kind: 'member', name: 'server3' } },
  ])
})

it('is asked for through any server where it is not known who does the work', async () => {
  const { cancelling, sent } = cancel({ ...running, location: 'server9' })
  await cancelling
  expect(sent).toMatchObject([{ target: { kind: 'any' } }])
})

test.each<[string, Partial<Operation>, 'stuck' | null, RegExp]>([
  ['Incus says that it cannot be', { mayCancel: false }, null, /cannot cancel this kind/],
  ['it has ended', { status: 'success' }, null, /has ended/],
  ['it is being cancelled', { status: 'cancelling' }, null, /being cancelled/],
  ['the cluster no longer knows it', { status: 'unknown' }, null, /no longer knows/],
  ['its server does not answer', {}, 'stuck', /server3 does not answer/],
])('is not asked for when %s', async (_, fields, symptom, because) => {
  const { cancelling, sent } = cancel({ ...running, ...fields }, { symptom })
  await expect(cancelling).rejects.toThrow(CannotCancel)
  await expect(cancelling).rejects.toThrow(because)
  expect(sent).toEqual([])
})

test.each([null, 'default'])('is refused when the work is said to belong to %j and does not', async (project) => {
  const { cancelling, sent } = cancel(running, { project })
  await expect(cancelling).rejects.toThrow(NoSuchOperation)
  expect(sent).toEqual([])
})
