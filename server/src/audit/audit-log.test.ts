import type { AuditRecord } from '@malleus/shared/api/audit.ts'
import { describe, expect, test } from 'vitest'
import { ManualClock } from '../../testing/manual-clock.ts'
import { MemoryAuditStore } from '../../testing/memory-audit-store.ts'
import { silentLogger } from '../lib/logger.ts'
import { systemRandom } from '../lib/random.ts'
import { AuditUnavailable } from './audit-error.ts'
import { openAuditLog } from './audit-log.ts'
import type { AuditLogOptions } from './audit-log.ts'
import { actorOf, auditEntry, bodyTag, incusEventEntry, requestOf } from './record.ts'
import type { AuditEntry } from './record.ts'
import { nothingVerified, verifyHead, verifyLines } from './verify.ts'

const jo = actorOf({
  iss: 'https://idp.example.net',
  sub: 'jo',
  name: 'Jo',
  roles: ['operator'],
  sessionTag: 'a1',
  authTime: 1,
  amr: ['pwd'],
})

function evacuation(id = 'r1'): AuditEntry {
  const req = requestOf({ id, method: 'POST', route: '/clusters/:cluster/members/:member/state', path: '/x' })
  return auditEntry({ action: 'member.evacuate', cluster: 'prod-eu', object: 'server3', actor: jo, req })
}

function look(object = 'server3', session = 'a1'): AuditEntry {
  const req = requestOf({ id: 'r', method: 'GET', route: '/clusters/:cluster/members/:member', path: `/${object}` })
  return auditEntry({ action: 'member.read', cluster: 'prod-eu', object, actor: { ...jo, session }, req })
}

function refusalOfStranger(ip: string): AuditEntry {
  return auditEntry({
    action: 'cluster.list',
    src: { ip, via: null },
    decision: { allow: false, rule: 'not signed in' },
  })
}

async function world(options: Partial<AuditLogOptions> = {}) {
  const clock = new ManualClock()
  const store = new MemoryAuditStore()
  const log = await openAuditLog({ store, clock, random: systemRandom, logger: silentLogger, ...options })
  const phases = () => store.records.map(({ phase, action }) => `${phase} ${action}`)
  const holds = () => verifyHead(verifyLines(nothingVerified, store.lines), log.head).breach
  return { clock, store, log, phases, holds }
}

const full = () => {
  throw new Error('no space left on device')
}

describe('the access history', () => {
  test('begins with a genesis, ends with a close, and the next start names its end', async () => {
    const { store, log, phases, clock, holds } = await world()
    await log.intent(evacuation())
    log.outcome(evacuation())
    await log.close()
    expect(phases()).toEqual([
      'genesis chain.begin',
      'intent member.evacuate',
      'outcome member.evacuate',
      'close chain.end',
    ])
    expect(store.records[0]?.prev).toBe('0'.repeat(64))
    const next = await openAuditLog({ store, clock, random: systemRandom, logger: silentLogger })
    expect(store.records.at(-1)).toMatchObject({ phase: 'genesis', seq: 0, prev: log.head.hash, chain: next.chain })
    expect(holds()).toBeNull()
  })

  test('an intent is durable before it resolves', async () => {
    const { store, log } = await world()
    let release = () => undefined as void
    store.beforeAppend = () => new Promise((resolve) => (release = resolve))
    let resolved = false
    const intent = log.intent(evacuation()).then(() => (resolved = true))
    await new Promise((resolve) => setImmediate(resolve))
    expect([resolved, store.lines.length]).toEqual([false, 1])
    release()
    await intent
    expect(store.lines).toHaveLength(2)
  })

  test('intents of the same moment are written together', async () => {
    const { store, log } = await world()
    store.appends = 0
    await Promise.all(Array.from({ length: 100 }, (_, index) => log.intent(evacuation(`r${index}`))))
    expect([store.appends, store.lines.length]).toEqual([1, 101])
  })

  test('nothing is left behind when records come in while the writer finishes', async () => {
    const { store, log, holds } = await world()
    for (let round = 0; round < 50; round += 1) {
      await log.intent(evacuation())
      log.outcome(evacuation())
      await Promise.resolve()
    }
    await log.intent(evacuation())
    expect(store.lines).toHaveLength(1 + 101)
    expect(log.waiting).toBe(0)
    expect(holds()).toBeNull()
  })

  test('tells listeners of records once they are durable', async () => {
    const { store, log } = await world()
    const heard: string[] = []
    log.subscribe(({ seq, phase }) => heard.push(`${seq} ${phase} ${store.lines.length}`))
    await log.intent(evacuation())
    expect(heard).toEqual(['1 intent 2'])
  })

  test('a record of an event of the cluster says so', async () => {
    const { store, log, clock } = await world()
    const requestor = { username: 'root', protocol: 'unix', address: null }
    log.record(
      incusEventEntry({
        cluster: 'prod-eu',
        action: 'cluster-member-evacuated',
        object: 'server3',
        source: '/1.0/cluster/members/server3',
        id: 'server3@2026-11-22T18:04:17.655517598Z',
        member: 'server3',
        project: null,
        requestor,
      }),
    )
    await clock.pass(50)
    expect(store.records.at(-1)).toMatchObject({
      phase: 'event',
      source: 'incus',
      actor: { name: 'root', protocol: 'unix' },
    })
  })

  test('text of strangers cannot make something unrecordable', async () => {
    const { store, log, holds } = await world()
    const entry = evacuation()
    await log.intent({ ...entry, object: `\ud800${'x'.repeat(5000)}\n\u0000` })
    await log.intent({ ...entry, out: { status: Number.NaN, op: null, opStatus: null, bytes: 1.5, ms: 1, code: null } })
    expect(store.records[1]?.object).toBe(`\ufffd${'x'.repeat(1023)}`)
    expect(store.records[2]).toMatchObject({ object: 'server3', out: null, decision: { rule: ' (incomplete)' } })
    expect(store.lines.every(({ text }) => !text.includes('\n'))).toBe(true)
    expect(holds()).toBeNull()
  })

  test('equal bodies have equal tags, which do not tell them', () => {
    const key = Buffer.alloc(32, 7)
    const tag = bodyTag(key, Buffer.from('{"mode":"stop"}'))
    expect(tag).toBe(bodyTag(key, Buffer.from('{"mode":"stop"}')))
    expect(tag).not.toBe(bodyTag(key, Buffer.from('{"mode":"auto"}')))
    expect(tag).toMatch(/^[0-9a-f]{64}$/)
  })
})

describe('reads', () => {
  test('the first of a minute is written within 50 ms, the count of the rest when it is over', async () => {
    const { store, log, clock } = await world()
    for (let read = 0; read < 8; read += 1) await log.read(look())
    expect(store.lines).toHaveLength(1)
    await clock.pass(50)
    expect(store.records.slice(1).map(({ req }) => req?.count)).toEqual([1])
    await clock.pass(60_000)
    expect(store.records.slice(1).map(({ req }) => req?.count)).toEqual([1, 7])
    await log.read(look())
    await clock.pass(50)
    expect(store.records.slice(1).map(({ req }) => req?.count)).toEqual([1, 7, 1])
  })

  test('a single read of a minute is one record', async () => {
    const { store, log, clock } = await world()
    await log.read(look())
    await clock.pass(120_000)
    expect(store.lines).toHaveLength(2)
  })

  test('those of other objects, people and sessions are counted apart', async () => {
    const { store, log, clock } = await world()
    await Promise.all([log.read(look('server1')), log.read(look('server2')), log.read(look('server1', 'b2'))])
    await clock.pass(50)
    expect(store.lines).toHaveLength(4)
  })

  test('in strict mode each is written, and durable before it resolves', async () => {
    const { store, log, clock } = await world({ reads: 'strict' })
    const reads = Promise.all([log.read(look()), log.read(look()), log.read(look())])
    await clock.pass(50)
    await reads
    expect(store.records.slice(1).map(({ req }) => req?.count)).toEqual([1, 1, 1])
  })

  test('counts are written at the end too', async () => {
    const { store, log } = await world()
    await log.read(look())
    await log.read(look())
    await log.close()
    expect(store.records.map(({ phase, req }) => [phase, req?.count])).toEqual([
      ['genesis', undefined],
      ['outcome', 1],
      ['outcome', 1],
      ['close', undefined],
    ])
  })
})

describe('refusals of strangers', () => {
  test('have one record per address and minute', async () => {
    const { store, log, clock } = await world()
    for (let round = 0; round < 100; round += 1) {
      log.record(refusalOfStranger('203.0.113.7'))
      log.record(refusalOfStranger('203.0.113.8'))
    }
    await clock.pass(50)
    expect(store.records.slice(1).map(({ src }) => src.ip)).toEqual(['203.0.113.7', '203.0.113.8'])
    expect(log.strangersPassedOver).toBe(198)
    await clock.pass(60_000)
    log.record(refusalOfStranger('203.0.113.7'))
    await clock.pass(50)
    expect(store.lines).toHaveLength(4)
  })

  test('can neither fill the queue of others nor stop them', async () => {
    const { store, log, clock } = await world({ mostWaiting: 10 })
    for (let address = 0; address < 5000; address += 1)
      log.record(refusalOfStranger(`10.0.${address >> 8}.${address & 255}`))
    await log.intent(evacuation())
    expect(store.records.some(({ phase }) => phase === 'intent')).toBe(true)
    await clock.pass(1000)
    expect(store.records.filter(({ decision }) => !decision.allow)).toHaveLength(1000)
  })
})

describe('T-audit-failclosed', () => {
  test('what cannot be recorded is refused, and works again without a restart when it can be', async () => {
    const { store, log, clock, phases, holds } = await world()
    store.beforeAppend = full
    let executed = 0
    const evacuate = async () => {
      await log.intent(evacuation())
      executed += 1
    }
    for (let tries = 0; tries < 20; tries += 1) await expect(evacuate()).rejects.toBeInstanceOf(AuditUnavailable)
    expect([executed, log.isAvailable, store.lines.length]).toEqual([0, false, 1])
    store.beforeAppend = () => undefined
    await evacuate()
    expect([executed, log.isAvailable]).toEqual([1, true])
    expect(phases()).toEqual(['genesis chain.begin', 'event chain.resume', 'intent member.evacuate'])
    await clock.pass(10_000)
    expect(holds()).toBeNull()
  })

  test('recovers by itself, without anybody asking', async () => {
    const { store, log, clock } = await world()
    store.beforeAppend = full
    await expect(log.intent(evacuation())).rejects.toBeInstanceOf(AuditUnavailable)
    await clock.pass(20_000)
    expect(log.isAvailable).toBe(false)
    store.beforeAppend = () => undefined
    await clock.pass(5000)
    expect(log.isAvailable).toBe(true)
  })

  test('a slow disk makes it late, and too late is refused and recorded as not done', async () => {
    const { store, log, clock, holds } = await world()
    let release: () => void = () => undefined
    store.beforeAppend = () => new Promise((resolve) => (release = resolve))
    const inTime = log.intent(evacuation('in time'))
    await clock.pass(2000)
    release()
    await inTime
    const late = log.intent(evacuation('late'))
    const ended = late.catch((error: unknown) => error)
    await clock.pass(5000)
    expect(await ended).toBeInstanceOf(AuditUnavailable)
    store.beforeAppend = () => undefined
    release()
    await clock.pass(100)
    const told = store.records.filter(({ req }) => req?.id === 'late')
    expect(told.map(({ phase, out }) => [phase, out?.code])).toEqual([
      ['intent', undefined],
      ['outcome', 'audit_unavailable'],
    ])
    expect(holds()).toBeNull()
  })

  test('a store that wrote and could not say so is asked before anything is written twice', async () => {
    const { store, log, clock, holds } = await world()
    store.afterAppend = full
    const ended = log.intent(evacuation('doubtful')).catch((error: unknown) => error)
    log.outcome(evacuation('other'))
    expect(await ended).toBeInstanceOf(AuditUnavailable)
    store.afterAppend = () => undefined
    store.beforeHead = full
    await clock.pass(3000)
    store.beforeHead = () => undefined
    await clock.pass(20_000)
    const ids = store.records.flatMap(({ req, phase }) => (req === null ? [] : [`${phase} ${req.id}`]))
    expect(ids.toSorted()).toEqual(['intent doubtful', 'outcome doubtful', 'outcome other'])
    expect(holds()).toBeNull()
    expect(log.waiting).toBe(0)
  })

  test('outcomes of what was done are kept until the store takes them', async () => {
    const { store, log, clock, holds } = await world()
    await log.intent(evacuation())
    store.beforeAppend = full
    log.outcome(evacuation())
    await clock.pass(60_000)
    expect(store.lines).toHaveLength(2)
    store.beforeAppend = () => undefined
    await clock.pass(5000)
    expect(store.records.at(-1)).toMatchObject({ phase: 'outcome', action: 'member.evacuate' })
    expect(holds()).toBeNull()
  })

  test('a full queue refuses reads and records too, and no others are lost', async () => {
    const { store, log, clock } = await world({ mostWaiting: 100 })
    store.beforeAppend = full
    for (let object = 0; object < 100; object += 1) await log.read(look(`server${object}`))
    await expect(log.read(look('one more'))).rejects.toBeInstanceOf(AuditUnavailable)
    await expect(log.read(look('server1'))).rejects.toBeInstanceOf(AuditUnavailable)
    expect(() => log.record({ ...evacuation(), decision: { allow: false, rule: 'role' } })).toThrow(AuditUnavailable)
    await expect(log.intent(evacuation())).rejects.toBeInstanceOf(AuditUnavailable)
    store.beforeAppend = () => undefined
    await clock.pass(10_000)
    expect(store.records.filter(({ action }) => action === 'member.read')).toHaveLength(100)
    await log.read(look('one more'))
  })

  test('a console that cannot record does not start', async () => {
    const store = new MemoryAuditStore()
    store.beforeAppend = full
    const opened = openAuditLog({ store, clock: new ManualClock(), random: systemRandom, logger: silentLogger })
    await expect(opened).rejects.toThrow('no space left')
  })

  test('a store that fails at random never has an execution without its record before it', async () => {
    const { store, log, clock, holds } = await world()
    const executed: { id: string; recorded: boolean }[] = []
    const refusals: unknown[] = []
    const acknowledged = new Set<AuditRecord['hash']>()
    log.subscribe(({ hash }) => acknowledged.add(hash))
    let seed = 2026
    const sometimesFull = () => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff
      return seed % 1000 < 250 ? full() : undefined
    }
    store.beforeAppend = sometimesFull
    store.afterAppend = sometimesFull
    for (let id = 0; id < 500; id += 1) {
      const ended = await log.intent(evacuation(String(id))).catch((error: unknown) => error)
      if (ended !== undefined) refusals.push(ended)
      else executed.push({ id: String(id), recorded: store.records.some(({ req }) => req?.id === String(id)) })
    }
    store.beforeAppend = () => undefined
    store.afterAppend = () => undefined
    await clock.pass(60_000)
    const intents = store.records.filter(({ phase }) => phase === 'intent').map(({ req }) => req?.id)
    expect(executed.length).toBeGreaterThan(100)
    expect(new Set(intents).size).toBe(intents.length)
    expect(executed.filter(({ id, recorded }) => !recorded || !intents.includes(id))).toEqual([])
    expect(refusals.length).toBeGreaterThan(100)
    expect(refusals.every((error) => error instanceof AuditUnavailable)).toBe(true)
    expect(acknowledged.size).toBe(store.lines.length - 1)
    expect(holds()).toBeNull()
  })
})
