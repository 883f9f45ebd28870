import type { Operation } from '@malleus/shared/api/operations.ts'
import { IncusOperation } from '@malleus/shared/incus/operation.ts'
import { describe, expect, it } from 'vitest'
import { fromIncus, lostOperations, resultKeptMs, withOperation, withoutOld } from './operation-log.ts'

const base: Operation = {
  id: 'op1',
  description: 'Evacuating cluster member',
  status: 'running',
  location: 'server3',
  project: null,
  createdAt: '2026-01-01T00:00:00.000Z',
  updatedAt: '2026-01-01T00:00:01.000Z',
  progress: null,
  percent: null,
  error: null,
  mayCancel: false,
  resources: [],
  startedBy: null,
}
const at = (seconds: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, seconds)).toISOString()
const logOf = (...operations: Operation[]) => new Map(operations.map((op) => [op.id, op]))

describe('an operation from Incus', () => {
  const wire = {
    id: 'op1',
    class: 'task',
    description: 'Evacuating cluster member',
    created_at: '2026-01-01T01:00:00.123456789+01:00',
    updated_at: '2026-01-01T00:00:01.5Z',
    status: 'Running',
    status_code: 103,
    resources: { instances: ['/1.0/instances/c1'] },
    metadata: { evacuation_progress: 'Migrating "c1" in project "default" to "server2"' },
    may_cancel: false,
    err: '',
    location: 'server3',
  }

  it('says what Incus says in words that hold no secret, and not more of them than fit a line', () => {
    const address = 'https://jo:canary@images.example.net/x?secret=canary'
    const { description, error, progress } = fromIncus(
      IncusOperation.parse({
        ...wire,
        description: `Downloading ${address}`,
        err: `Get "${address}": ${'refused '.repeat(200)}`,
        metadata: { download_progress: `${address} 7%` },
      }),
      null,
      null,
    )
    expect([description, error, progress].join(' ')).not.toContain('canary')
    expect(progress).toBe('https://[redacted]@images.example.net/x?secret=[redacted] 7%')
    expect(error).toHaveLength(512)
  })

  it('keeps its progress text and turns its times to UTC', () => {
    expect(fromIncus(IncusOperation.parse(wire), 'default', null)).toMatchObject({
      status: 'running',
      createdAt: '2026-01-01T00:00:00.123Z',
      progress: 'Migrating "c1" in project "default" to "server2"',
      percent: null,
      resources: ['/1.0/instances/c1'],
      project: 'default',
    })
  })

  it.each([
    [103, 'running'],
    [104, 'cancelling'],
    [105, 'pending'],
    [200, 'success'],
    [400, 'failure'],
    [401, 'cancelled'],
  ])('has status %i as %s', (status_code, status) => {
    expect(fromIncus(IncusOperation.parse({ ...wire, status_code }), null, null).status).toBe(status)
  })

  it('may have null maps', () => {
    const operation = IncusOperation.parse({ ...wire, resources: null, metadata: null })
    expect(fromIncus(operation, null, null)).toMatchObject({ resources: [], progress: null })
  })

  it('tells a percentage where Incus does', () => {
    const metadata = { progress: { stage: 'x', percent: '42', speed: '1' } }
    const download = { ...wire, description: 'Downloading image', metadata }
    expect(fromIncus(IncusOperation.parse(download), null, null).percent).toBe(42)
  })

  it('says of an evacuation which instance it moves, not how far the copy of one is', () => {
    const metadata = { create_instance_from_image_unpack_progress: 'Unpacking: 33%', progress: { percent: '33' } }
    const copying = fromIncus(IncusOperation.parse({ ...wire, updated_at: at(9), metadata }), null, null)
    const moving = fromIncus(IncusOperation.parse(wire), null, null)
    expect(withOperation(logOf(moving), copying).get('op1')).toMatchObject({
      updatedAt: at(9),
      progress: moving.progress,
      percent: null,
    })
  })

  it('has no location on a server that is not clustered', () => {
    expect(fromIncus(IncusOperation.parse({ ...wire, location: 'none' }), null, null).location).toBeNull()
  })
})

describe('the log', () => {
  it('keeps the latest state, whatever the order of arrival', () => {
    const late = { ...base, updatedAt: at(5), progress: 'second' }
    const early = { ...base, updatedAt: at(3), progress: 'first' }
    expect(withOperation(withOperation(logOf(base), late), early).get('op1')).toEqual(late)
  })

  it('goes from pending to running and not back, whichever is heard first at the same time', () => {
    const pending: Operation = { ...base, status: 'pending' }
    expect(withOperation(logOf(pending), base).get('op1')?.status).toBe('running')
    expect(withOperation(logOf(base), pending).get('op1')?.status).toBe('running')
  })

  it('does not let what has ended run again', () => {
    const ended: Operation = { ...base, status: 'success', updatedAt: at(5) }
    expect(withOperation(logOf(ended), { ...base, updatedAt: at(6) }).get('op1')).toEqual(ended)
  })

  it('lets a result replace an unknown end', () => {
    const unknown: Operation = { ...base, status: 'unknown', updatedAt: at(5) }
    const result: Operation = { ...base, status: 'success', updatedAt: at(6) }
    expect(withOperation(logOf(unknown), result).get('op1')).toEqual(result)
  })

  it('is the same log when nothing is new', () => {
    const log = logOf(base)
    expect(withOperation(log, base)).toBe(log)
  })

  it('keeps who began it', () => {
    const mine: Operation = { ...base, startedBy: { name: 'mika', here: true } }
    expect(withOperation(logOf(mine), { ...base, updatedAt: at(9) }).get('op1')?.startedBy?.name).toBe('mika')
  })

  it('keeps results for ten minutes and running work for ever', () => {
    const ended: Operation = { ...base, id: 'op2', status: 'success', updatedAt: at(0) }
    const now = Date.parse(at(0)) + resultKeptMs + 1
    expect([...withoutOld(logOf(base, ended), now).keys()]).toEqual(['op1'])
    expect([...withoutOld(logOf(base, ended), now - 1).keys()]).toEqual(['op1', 'op2'])
  })
})

describe('operations that vanished', () => {
  const lost = (operation: Operation, listed: string[], { answering = true, known = true } = {}) => {
    const askedAt = Date.parse(at(10))
    const all = lostOperations(
      logOf(operation),
      new Set(listed),
      askedAt,
      () => known,
      () => answering,
    )
    return all.map(({ status }) => status)
  }

  it('have an unknown end', () => expect(lost(base, [])).toEqual(['unknown']))
  it('are not lost while they are listed', () => expect(lost(base, ['op1'])).toEqual([]))
  it('are not lost when they were heard of after the list was asked for', () =>
    expect(lost(base, [], { known: false })).toEqual([]))
  it("are lost whatever their server's clock says", () =>
    expect(lost({ ...base, updatedAt: at(3_600) }, [])).toEqual(['unknown']))
  it('are not lost while their server does not answer', () => expect(lost(base, [], { answering: false })).toEqual([]))
  it('have a known end when it is told after all, by a clock that is behind', () => {
    const [unknown] = lostOperations(
      logOf(base),
      new Set(),
      Date.parse(at(10)),
      () => true,
      () => true,
    )
    const log = withOperation(logOf(unknown ?? base), { ...base, status: 'success', updatedAt: at(2) })
    expect(log.get('op1')?.status).toBe('success')
  })
  it('are not lost when they had ended', () => expect(lost({ ...base, status: 'failure' }, [])).toEqual([]))
})
