import type { Operation } from '@malleus/shared/api/operations.ts'
import { IncusOperation } from '@malleus/shared/incus/operation.ts'
import { describe, expect, it, test } from 'vitest'
import type { OperationLog } from './operation-log.ts'
import { fromIncus as read, isOld, lostOperations, nextOperation, resultKeptMs, withVerdict } from './operation-log.ts'

const base: Operation = {
  id: 'op1',
  description: 'Evacuating cluster member',
  status: 'running',
  looking: false,
  found: null,
  location: 'server3',
  project: null,
  createdAt: '2026-01-01T00:00:00.000Z',
  updatedAt: '2026-01-01T00:00:01.000Z',
  heardAt: '2026-01-01T00:00:01.000Z',
  endedAt: null,
  progress: null,
  percent: null,
  error: null,
  mayCancel: false,
  resources: [],
  startedBy: null,
}
const at = (seconds: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, seconds)).toISOString()
const heardAt = Date.UTC(2026, 0, 1, 0, 0, 1)
const fromIncus = (operation: IncusOperation, project: string | null, startedBy: Operation['startedBy']) =>
  read(operation, project, startedBy, heardAt)
const logOf = (...operations: Operation[]): OperationLog => new Map(operations.map((op) => [op.id, op]))
const withOperation = (log: OperationLog, operation: Operation): OperationLog => {
  const before = log.get(operation.id)
  const next = nextOperation(before, operation)
  return next === before ? log : new Map(log).set(operation.id, next)
}

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

  test.each([
    ['9% (4.67MB/s)', 9],
    ['rootfs: 100% (1.00GB/s)', 100],
    ['Unpacking image', null],
    ['12.30MB (4.67MB/s)', null],
    ['volume-50%-full', null],
  ])('reads it from the words of an older one: %s', (text, percent) => {
    const download = { ...wire, description: 'Downloading image', metadata: { download_progress: text } }
    expect(fromIncus(IncusOperation.parse(download), null, null)).toMatchObject({ progress: text, percent })
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

  test.each([
    [103, null],
    [104, null],
    [200, at(1)],
    [400, at(1)],
    [401, at(1)],
  ])('with status %i ended when that was heard: %s', (status_code, endedAt) => {
    expect(fromIncus(IncusOperation.parse({ ...wire, status_code }), null, null)).toMatchObject({
      endedAt,
      heardAt: at(1),
    })
  })

  test.each<[string | null, Record<string, string[]>, string | null]>([
    ['web', { instances: ['/1.0/instances/c1'] }, 'web'],
    ['', {}, null],
    [null, {}, null],
    [null, { instances: ['/1.0/instances/c1?project=web'] }, 'web'],
    [null, { instances: ['/1.0/instances/c1'] }, 'default'],
    [null, { 'cluster-members': ['/1.0/cluster/members/server3'] }, null],
    [null, { storage_pools: ['/1.0/storage-pools/local'] }, null],
    [null, { volumes: ['/1.0/storage-pools/local/volumes/custom/v1?project=web'] }, 'web'],
  ])('told with project %j and of %j belongs to %j', (project, resources, expected) => {
    expect(fromIncus(IncusOperation.parse({ ...wire, resources }), project, null).project).toBe(expected)
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

  it('believes who knows again what was missed, whatever its clock says', () => {
    const unknown: Operation = { ...base, status: 'unknown', looking: true, updatedAt: at(9) }
    expect(withOperation(logOf(unknown), { ...base, updatedAt: at(2) }).get('op1')?.status).toBe('running')
  })

  it('says once what looking for it has shown, and does not look again', () => {
    const looking: Operation = { ...base, status: 'unknown', looking: true }
    const done = withVerdict(looking, 'done', Date.parse(at(60)))
    expect(done).toMatchObject({ status: 'unknown', looking: false, found: 'done', heardAt: at(60) })
    const log = withOperation(logOf(looking), done)
    expect(log.get('op1')).toEqual(done)
    expect(withOperation(log, looking)).toBe(log)
    expect(withOperation(log, { ...looking, looking: false })).toBe(log)
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

  it('learns who began it from an answer that comes after its events', () => {
    const ended: Operation = { ...base, status: 'success', updatedAt: at(5) }
    const mine: Operation = { ...base, startedBy: { name: 'mika', here: true } }
    expect(withOperation(logOf(ended), mine).get('op1')).toEqual({ ...ended, startedBy: mine.startedBy })
  })

  it('keeps who began it', () => {
    const mine: Operation = { ...base, startedBy: { name: 'mika', here: true } }
    expect(withOperation(logOf(mine), { ...base, updatedAt: at(9) }).get('op1')?.startedBy?.name).toBe('mika')
  })

  it('keeps results for ten minutes and running work for ever', () => {
    // It ran for long and showed no progress meanwhile.
    const ended: Operation = {
      ...base,
      id: 'op2',
      status: 'success',
      updatedAt: '2025-12-31T00:00:00Z',
      heardAt: at(0),
    }
    const now = Date.parse(at(0)) + resultKeptMs + 1
    expect([base, ended].map((each) => isOld(each, now))).toEqual([false, true])
    expect(isOld(ended, now - 1)).toBe(false)
    expect(isOld({ ...ended, status: 'unknown', looking: true }, now)).toBe(false)
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
    return all.map(({ status, looking }) => (looking ? `${status}, looking` : status))
  }

  it('have an unknown end', () => expect(lost(base, [])).toEqual(['unknown, looking']))
  it('are not lost while they are listed', () => expect(lost(base, ['op1'])).toEqual([]))
  it('are not lost when they were heard of after the list was asked for', () =>
    expect(lost(base, [], { known: false })).toEqual([]))
  it("are lost whatever their server's clock says", () =>
    expect(lost({ ...base, updatedAt: at(3_600) }, [])).toEqual(['unknown, looking']))
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
