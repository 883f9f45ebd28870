// Every fault, done to a real member and looked at from outside. Where a lab cannot be, there is nothing to look at.

import { existsSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { fingerprintOf } from './cluster.ts'
import { missingPackages } from './debian-packages.ts'
import { missingFrom } from './machine.ts'
import type { Lab } from './running-lab.ts'
import { startLab } from './start-lab.ts'
import { faultNames } from './state-directory.ts'

const possible =
  process.platform === 'linux' &&
  missingPackages().length === 0 &&
  missingFrom({
    platform: process.platform,
    uid: process.getuid?.(),
    filesystems: readFileSync('/proc/filesystems', 'utf8'),
    exists: existsSync,
  }).length === 0

describe.runIf(possible)('a broken member', { timeout: 60_000 }, () => {
  let lab: Lab
  const victim = 'server2'

  beforeAll(async () => {
    lab = await startLab({ name: `test-${process.pid}`, members: 2, provider: 'none' })
  }, 120_000)

  afterEach(async () => {
    await lab.mend(victim)
  })

  afterAll(async () => {
    await lab.down()
  }, 60_000)

  test('that is stuck takes connections and says nothing', async () => {
    await lab.break(victim, 'stuck')
    expect(await look(lab, victim)).toMatchObject({ reached: 'connection' })
  })

  test('that was killed refuses connections', async () => {
    await lab.break(victim, 'killed')
    expect(await look(lab, victim)).toMatchObject({ reached: 'refused' })
  })

  test.each(['cut-off', 'black-hole'] as const)('that is a %s does not even refuse', async (fault) => {
    await lab.break(victim, fault)
    expect(await look(lab, victim)).toMatchObject({ reached: 'nothing' })
  })

  test('that is slow answers correctly, many times later than another', async () => {
    await lab.break(victim, 'slow')
    // On a busy machine it may run longer between two stops than it should, but a caller soon meets one.
    const [slow, quick] = [await timesMs(lab, victim), await timesMs(lab, 'server1')]
    expect(slow.at(-1)).toBeGreaterThan(5 * (quick[4] ?? 0))
    expect(slow.at(-1)).toBeGreaterThan(50)
    expect(await look(lab, victim)).toMatchObject({ reached: 'answer', fingerprint: lab.clusterFingerprint })
  })

  test('that is starting proves who it is and answers no request', async () => {
    await lab.break(victim, 'starting')
    expect(await look(lab, victim)).toMatchObject({ reached: 'handshake', fingerprint: lab.clusterFingerprint })
  })

  test('with a wrong certificate answers, and counts what it was sent', async () => {
    await lab.break(victim, 'wrong-certificate')
    expect(await lab.heard(victim)).toEqual([])
    const seen = await look(lab, victim)
    expect(seen).toMatchObject({ reached: 'answer', status: 200 })
    expect(seen.fingerprint).not.toBe(lab.clusterFingerprint)
    expect(await lab.heard(victim)).toContainEqual({ address: lab.hostAddress, handshakes: 1, bytes: request.length })
  })

  test.each(faultNames)('that was %s and is mended answers as before', async (fault) => {
    const before = lab.clusterFingerprint
    await lab.break(victim, fault)
    await lab.mend(victim)
    expect(lab.fault(victim)).toBeUndefined()
    expect(await look(lab, victim)).toMatchObject({ reached: 'answer', status: 200, fingerprint: before })
  })

  test('is broken in one way at a time', async () => {
    await lab.break(victim, 'stuck')
    await lab.break(victim, 'killed')
    expect(lab.fault(victim)?.fault).toBe('killed')
    expect(await look(lab, victim)).toMatchObject({ reached: 'refused' })
  })
})

interface Seen {
  reached: 'nothing' | 'refused' | 'connection' | 'handshake' | 'answer'
  status?: number
  fingerprint?: string
}

const request = 'GET /1.0 HTTP/1.1\r\nHost: lab\r\nConnection: close\r\n\r\n'

/** How far one new connection gets within a second. */
async function look(lab: Lab, name: string): Promise<Seen> {
  const member = lab.members.find((one) => one.name === name)
  if (member === undefined) throw new Error(`there is no ${name}`)
  const seen: Seen = { reached: 'nothing' }
  const plain = connect({ host: member.address, port: member.port })
  await new Promise<void>((resolve) => {
    const done = (): void => {
      clearTimeout(patience)
      plain.destroy()
      resolve()
    }
    const patience = setTimeout(done, 1_000)
    plain.on('error', (error) => {
      if ('code' in error && error.code === 'ECONNREFUSED') seen.reached = 'refused'
      done()
    })
    plain.on('connect', () => {
      seen.reached = 'connection'
      // What it presents is what is asked here.
      // oxlint-disable-next-line malleus/verified-tls
      const secure = connectTls({ socket: plain, rejectUnauthorized: false }, () => {
        seen.reached = 'handshake'
        const pem = secure.getPeerX509Certificate()?.toString()
        if (pem !== undefined) seen.fingerprint = fingerprintOf(pem)
        secure.write(request)
      })
      secure.on('error', done)
      secure.on('data', (chunk: Buffer) => {
        seen.reached = 'answer'
        seen.status = Number(chunk.toString('latin1').split(' ')[1])
        done()
      })
    })
  })
  return seen
}

/** How long nine looks took, quickest first. */
async function timesMs(lab: Lab, name: string): Promise<number[]> {
  const times: number[] = []
  for (let attempt = 0; attempt < 9; attempt++) {
    const begun = performance.now()
    await look(lab, name)
    times.push(performance.now() - begun)
  }
  return times.toSorted((one, other) => one - other)
}
