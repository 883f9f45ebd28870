import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ManualClock } from '../../testing/manual-clock.ts'
import { silentLogger as logger } from '../lib/logger.ts'
import { systemRandom as random } from '../lib/random.ts'
import type { AlertMessage } from './alert-message.ts'
import { DeliveryFailed } from './alert-sink.ts'
import type { AlertStore } from './alert-store.ts'
import { CertificateAlerts } from './certificate-alerts.ts'
import type { RaisedAlert } from './expiry.ts'
import type { KnownCertificate } from './known-certificate.ts'

const minute = 60_000
const day = 86_400_000

let clock: ManualClock
let store: AlertStore
let known: KnownCertificate[] | null
let sent: string[]
let refuses: boolean
let attempts: string[]
let open: CertificateAlerts[]

beforeEach(() => {
  clock = new ManualClock()
  store = memoryStore()
  known = [cluster(40)]
  sent = []
  attempts = []
  refuses = false
  open = []
})
afterEach(async () => {
  for (const one of open) await one.stop()
})

function cluster(daysLeft: number, fingerprint = 'aa'): KnownCertificate {
  return { kind: 'cluster', cluster: 'prod', name: 'prod', fingerprint, expiresAt: clock.now() + daysLeft * day }
}

function start(changed: Partial<AlertStore> = {}): CertificateAlerts {
  const alerts = new CertificateAlerts({
    sources: [{ name: 'cluster prod', read: () => known }],
    store: { ...store, ...changed },
    sinks: [
      {
        name: 'webhook',
        to: 'hooks.example.net',
        deliver: (message: AlertMessage) => {
          if (refuses) return Promise.reject(new DeliveryFailed('hooks.example.net answered 503'))
          sent.push(message.subject)
          return Promise.resolve('hooks.example.net answered 204')
        },
        close: () => Promise.resolve(),
      },
    ],
    publicUrl: 'https://console.example.net',
    onAttempt: (sink, delivered) => void attempts.push(`${sink} ${delivered ? 'delivered' : 'failed'}`),
    clock,
    random,
    logger,
  })
  alerts.start()
  open.push(alerts)
  return alerts
}

function memoryStore(): AlertStore {
  let kept: readonly RaisedAlert[] = []
  return {
    all: async () => kept,
    raise: async (alerts) => void (kept = [...kept, ...alerts]),
    take: async (sink, taken) => {
      const has = (alert: RaisedAlert) =>
        taken.some(({ key, threshold }) => key === alert.key && threshold === alert.threshold)
      kept = kept.map((alert) => (has(alert) ? { ...alert, takenBy: [...alert.takenBy, sink] } : alert))
    },
    settle: async (keys) => void (kept = kept.filter(({ key }) => !keys.includes(key))),
  }
}

const everybody = () => true

describe('a certificate that comes to its end', () => {
  test('is told five times, each once', async () => {
    const alerts = start()
    for (let hours = 0; hours < 41 * 24; hours += 6) {
      await clock.pass(6 * 60 * minute - minute)
      await alerts.check()
      await clock.pass(minute)
    }
    expect(sent).toEqual([
      'The certificate of the cluster prod ends in 30 days',
      'The certificate of the cluster prod ends in 14 days',
      'The certificate of the cluster prod ends in 7 days',
      'The certificate of the cluster prod ends in 3 days',
      'The certificate of the cluster prod ends in 24 hours',
    ])
  }, 20_000)

  test('is shown with the threshold it has reached, to those who may see its cluster', () => {
    known = [cluster(6), cluster(60, 'bb')]
    const alerts = start()
    expect(alerts.alerts(everybody)).toMatchObject([{ cluster: 'prod', fingerprint: 'aa', threshold: 7 }])
    expect(alerts.alerts(() => false)).toEqual([])
    expect(alerts.watched(everybody)).toHaveLength(2)
  })

  test('is not told when it was replaced', async () => {
    known = [cluster(6)]
    refuses = true
    const alerts = start()
    await clock.pass(minute)
    expect(alerts.sinks()).toMatchObject([{ waiting: 1 }])
    known = [cluster(90, 'bb')]
    refuses = false
    await clock.pass(10 * minute)
    expect(sent).toEqual([])
    expect(alerts.sinks()).toMatchObject([{ waiting: 0 }])
  })

  test('is told after all when it comes back', async () => {
    known = [cluster(6)]
    start()
    await clock.pass(minute)
    known = []
    await clock.pass(minute)
    known = [cluster(6)]
    await clock.pass(minute)
    expect(sent).toHaveLength(2)
  })
})

describe('a new start', () => {
  test('does not repeat what was delivered', async () => {
    known = [cluster(6)]
    await start().stop()
    await clock.pass(minute)
    expect(sent).toHaveLength(1)
    start()
    await clock.pass(5 * minute)
    expect(sent).toHaveLength(1)
  })

  test('does not lose what was not', async () => {
    known = [cluster(6)]
    refuses = true
    await start().stop()
    await clock.pass(minute)
    refuses = false
    // What was known before is told, also when the cluster does not answer now.
    known = null
    start()
    await clock.pass(minute)
    expect(sent).toEqual(['The certificate of the cluster prod ends in 5 days'])
  })
})

describe('a sink that does not take it', () => {
  test('is asked again, later and later, and says why meanwhile', async () => {
    known = [cluster(6)]
    refuses = true
    const alerts = start()
    await clock.pass(3 * 60 * minute)
    // Once a minute would be 180.
    expect(attempts.length).toBeGreaterThan(5)
    expect(attempts.length).toBeLessThan(12)
    expect(alerts.sinks()).toMatchObject([
      { sink: 'webhook', to: 'hooks.example.net', waiting: 1, failure: { message: 'hooks.example.net answered 503' } },
    ])
    refuses = false
    await clock.pass(75 * minute)
    expect(sent).toHaveLength(1)
    expect(alerts.sinks()).toMatchObject([{ waiting: 0, failure: null }])
    expect(alerts.sinks()[0]?.deliveredAt).not.toBeNull()
  })

  test('is no reason not to test it, and the test says exactly what happened', async () => {
    const alerts = start()
    expect(await alerts.test('webhook')).toMatchObject({ delivered: true, said: 'hooks.example.net answered 204' })
    refuses = true
    expect(await alerts.test('webhook')).toMatchObject({ delivered: false, said: 'hooks.example.net answered 503' })
    await expect(alerts.test('email')).rejects.toThrow('No email is configured for alerts')
  })
})

describe('a database that does not answer', () => {
  test('keeps alerts from being sent until they are kept, and then none is lost', async () => {
    known = [cluster(6)]
    let answers = false
    start({ raise: (all) => (answers ? store.raise(all) : Promise.reject(new Error('gone'))) })
    await clock.pass(5 * minute)
    expect(sent).toEqual([])
    answers = true
    await clock.pass(2 * minute)
    expect(sent).toHaveLength(1)
  })

  test('after they were sent does not make them be sent again by the same process', async () => {
    known = [cluster(6)]
    let answers = false
    start({ take: (...all) => (answers ? store.take(...all) : Promise.reject(new Error('gone'))) })
    await clock.pass(10 * minute)
    expect(sent).toHaveLength(1)
    answers = true
    await clock.pass(2 * minute)
    expect((await store.all()).map(({ takenBy }) => takenBy)).toEqual([['webhook']])
  })
})
