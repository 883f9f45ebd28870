import { X509Certificate } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { fingerprintOf, selfSigned } from '../../testing/certificate-authority.ts'
import { ManualClock } from '../../testing/manual-clock.ts'
import type { Gateway } from '../gateway/gateway.ts'
import { MemberError, OutcomeUnknown } from '../gateway/member-error.ts'
import { silentLogger } from '../lib/logger.ts'
import type { KeptIdentity } from './console-identity-store.ts'
import type { IdentityPair, RotationPorts } from './rotation.ts'
import { IdentityRotation } from './rotation.ts'

const old = selfSigned({ commonName: 'old' })
const next = selfSigned({ commonName: 'next' })
const called = new Map([
  [fingerprintOf(old.certificate), 'old'],
  [fingerprintOf(next.certificate), 'next'],
])
const nameOf = (fingerprint: string) => called.get(fingerprint) ?? fingerprint

/** The process ends here: whatever it was about to do is not done. */
class Crash extends Error {}

interface Fault {
  /** At which call of a port, counted from 1. */
  readonly at: number
  /** Whether what was asked had been done when the process ended. */
  readonly done: boolean
}

/** A cluster, the console's database, and consoles that are started on them one after the other. */
function world() {
  const clock = new ManualClock()
  const trusted = new Set(['old'])
  const diary: string[] = []
  let stored: KeptIdentity | null = null
  /** What the next write to the trust store meets. */
  const meets: { write: Error | null; carriedOut: boolean; doubts: string[] } = {
    write: null,
    carriedOut: false,
    doubts: [],
  }
  const sealed = ({ certificate, key }: IdentityPair) => ({ certificate, sealedKey: Buffer.from(key) })

  function startConsole(
    fault: Fault | null,
    entry: object = {},
  ): { rotation: IdentityRotation; inForce: () => string } {
    let calls = 0
    let inForce = stored?.current?.certificate ?? old.certificate
    const step = async <Value>(what: string, work: () => Value | Promise<Value>): Promise<Value> => {
      calls += 1
      if (fault?.at === calls && !fault.done) throw new Crash(what)
      let value: Value
      try {
        value = await work()
      } catch (error) {
        throw fault?.at === calls ? new Crash(what) : error
      }
      diary.push(what)
      // Whatever has happened so far, who is in force is trusted.
      expect([...trusted], what).toContain(nameOf(fingerprintOf(inForce)))
      if (fault?.at === calls) throw new Crash(what)
      return value
    }
    const gateway = {
      read: ({ path, parse }: Parameters<Gateway['read']>[0]) => {
        const name = nameOf(path.split('/').at(-1) ?? '')
        return step(`look for ${name}`, () => {
          if (!trusted.has(name)) throw incus(404, 'Certificate not found')
          return { value: parse.parse({ fingerprint: 'f', name: 'malleus', type: 'client', ...entry }) }
        })
      },
      write: ({ method, path, body }: Parameters<Gateway['write']>[0]) =>
        step(`${method} as ${nameOf(fingerprintOf(inForce))}`, () => {
          const failure = meets.write
          meets.write = null
          if (failure === null || meets.carriedOut) {
            if (method === 'POST') trusted.add(nameIn(body))
            else trusted.delete(nameOf(path.split('/').at(-1) ?? ''))
          }
          if (failure !== null) throw failure
          return { value: null }
        }),
    } as unknown as RotationPorts['gateway']
    const rotation = new IdentityRotation({
      cluster: 'prod-eu',
      gateway,
      own: () => inForce,
      kept: stored,
      keep: (kept) => step(`keep ${kept.stage}`, () => void (stored = kept)),
      seal: sealed,
      open: ({ certificate, sealedKey }) => ({ certificate, key: Buffer.from(sealedKey).toString() }),
      make: () => next,
      doubts: () => step('ask the servers', () => meets.doubts),
      changeOver: ({ certificate }) => step('change over', () => void (inForce = certificate)),
      record: {
        intent: async () => void diary.push('intent'),
        outcome: (_, outcome) => diary.push(outcome),
      },
      clock,
      logger: silentLogger,
    })
    return { rotation, inForce: () => nameOf(fingerprintOf(inForce)) }
  }
  return { clock, trusted, diary, meets, startConsole, stored: () => stored }
}

function nameIn(body: unknown): string {
  if (typeof body !== 'object' || body === null || !('certificate' in body)) throw new Error('no certificate was sent')
  return nameOf(fingerprintOf(new X509Certificate(Buffer.from(String(body.certificate), 'base64')).toString()))
}

function incus(status: number, message: string): MemberError {
  return new MemberError({ kind: 'incus', member: 'server1', phase: 'answer', sent: true, status, message })
}

const lost = new OutcomeUnknown(
  new MemberError({ kind: 'reset', member: 'server1', phase: 'answer', sent: true, message: 'the connection ended' }),
  1,
)

/** Every step of a rotation that meets nothing, in order. */
const steps = [
  'look for old',
  'keep adding',
  'look for next',
  'look for old',
  'POST as old',
  'ask the servers',
  'keep removing',
  'change over',
  'look for old',
  'DELETE as next',
  'keep settled',
]
// The look for one that is not there fails, as it has to, and is in no diary.
const inDiary = steps.filter((step) => step !== 'look for next')

describe("the console's own identity", () => {
  test('is added by the old one, changed over to, and then the old one is removed by it', async () => {
    const { diary, trusted, startConsole, stored } = world()
    const { rotation, inForce } = startConsole(null)
    await rotation.rotate()
    expect(diary).toEqual(inDiary)
    expect([...trusted]).toEqual(['next'])
    expect(inForce()).toBe('next')
    expect(rotation.state).toEqual({ stage: 'settled', problem: null })
    expect(stored()).toMatchObject({
      stage: 'settled',
      next: null,
      leaving: null,
      current: { certificate: next.certificate },
    })
  })

  describe.each(['before', 'after'] as const)('when the console ends %s', (when) => {
    test.each(steps.map((step, at) => [at + 1, step] as const))('step %i, %s', async (at, step) => {
      const { clock, diary, trusted, startConsole, stored } = world()
      const first = startConsole({ at, done: when === 'after' })
      await expect(first.rotation.rotate()).rejects.toBeInstanceOf(Crash)
      first.rotation.stop()

      const second = startConsole(null)
      second.rotation.start()
      await clock.pass(60_000)
      const wasBegun = stored() !== null
      // Nothing was made before it was kept, and everything is finished once it was.
      expect(wasBegun, step).toBe(at > 2 || (at === 2 && when === 'after'))
      expect([...trusted]).toEqual([wasBegun ? 'next' : 'old'])
      expect(second.inForce()).toBe(wasBegun ? 'next' : 'old')
      expect(second.rotation.state).toEqual({ stage: 'settled', problem: null })
      expect(diary.filter((line) => line.startsWith('POST')).length).toBeLessThanOrEqual(1)
      expect(diary.filter((line) => line.startsWith('DELETE')).length).toBeLessThanOrEqual(1)
    })
  })

  test('goes on with a record of its own when it is taken up again', async () => {
    const { clock, diary, startConsole } = world()
    const first = startConsole({ at: 7, done: true })
    await expect(first.rotation.rotate()).rejects.toBeInstanceOf(Crash)
    first.rotation.stop()
    diary.length = 0
    const second = startConsole(null)
    second.rotation.start()
    await clock.pass(0)
    expect(diary).toEqual(['intent', 'look for old', 'DELETE as next', 'keep settled', 'done'])
  })
})

describe('T-never-twice: an answer that was lost', () => {
  test.each([
    ['of an addition that was carried out', true, 1],
    ['of an addition that was not', false, 2],
  ])('%s', async (_, carriedOut, posts) => {
    const { clock, diary, trusted, meets, startConsole } = world()
    meets.write = lost
    meets.carriedOut = carriedOut
    const { rotation, inForce } = startConsole(null)
    await expect(rotation.rotate()).rejects.toThrow('answer is not known')
    expect(inForce()).toBe('old')
    await clock.pass(10_000)
    // One that failed is in no diary.
    expect(diary.filter((line) => line.startsWith('POST')).length).toBe(posts - 1)
    expect([...trusted]).toEqual(['next'])
    expect(inForce()).toBe('next')
  })
})

describe('a rotation that cannot be', () => {
  test('of an identity that is restricted is not begun', async () => {
    const { startConsole, stored } = world()
    const { rotation } = startConsole(null, { restricted: true })
    await expect(rotation.rotate()).rejects.toThrow('restricted and may add none')
    expect(stored()).toBeNull()
  })

  test('because the cluster refuses it leaves everything as it was', async () => {
    const { meets, trusted, startConsole } = world()
    meets.write = incus(403, 'not authorized')
    const { rotation, inForce } = startConsole(null)
    await expect(rotation.rotate()).rejects.toThrow('does not take the new identity: not authorized')
    expect([...trusted]).toEqual(['old'])
    expect(inForce()).toBe('old')
    expect(rotation.state.stage).toBe('settled')
  })

  test('waits while a server does not trust the new one, with the old one in force', async () => {
    const { clock, meets, trusted, startConsole } = world()
    meets.doubts = ['server2 does not know it']
    const { rotation, inForce } = startConsole(null)
    const refused = rotation.rotate().then(() => 'done', String)
    await clock.pass(11_000)
    expect(await refused).toContain('Not every server trusts the new identity yet: server2')
    expect(inForce()).toBe('old')
    expect(rotation.state).toMatchObject({ stage: 'adding', problem: expect.stringContaining('server2') })
    await expect(rotation.rotate()).rejects.toThrow('already')
    meets.doubts = []
    await clock.pass(20_000)
    expect(inForce()).toBe('next')
    expect([...trusted]).toEqual(['next'])
  })
})
