import type { Trust } from '../../src/clusters/trust.ts'
import type { DialProgress } from '../../src/gateway/dial.ts'
import { memberErrorFrom } from '../../src/gateway/member-error.ts'
import type { Clock } from '../../src/lib/clock.ts'
import { certificates } from './certificates.ts'
import type { Connection } from './connection.ts'
import { cutShort, socketError } from './network-failure.ts'
import type { SimulatedMember } from './simulated-member.ts'

export interface Patience {
  readonly connectTimeoutMs: number
  readonly tlsTimeoutMs: number
  readonly progress?: DialProgress | undefined
  readonly signal?: AbortSignal | undefined
}

/** Connects, shakes hands and judges what is presented, as `gateway/dial.ts` does, with its errors. */
export function dial(
  connection: Connection,
  member: SimulatedMember,
  { clock, trust }: { readonly clock: Clock; readonly trust: Trust },
  patience: Patience,
): Promise<Connection> {
  const { signal, progress = {} } = patience
  return new Promise((resolve, reject) => {
    let phase: 'connect' | 'tls' | 'certificate' = 'connect'
    let startedAt = clock.monotonic()
    let stopWaiting = clock.after(patience.connectTimeoutMs, silent)
    signal?.addEventListener('abort', givenUp, { once: true })
    connection.onLost = (code) => fail(socketError(code))
    connection.knock.send(() => {
      if (member.accept(connection)) connection.down.send(accepted)
      else connection.reset('ECONNREFUSED')
    })
    if (signal?.aborted === true) givenUp()

    function accepted(): void {
      nextPhase('tls', 'connectMs')
      stopWaiting = clock.after(patience.tlsTimeoutMs, silent)
      const { up, down } = connection
      up.send(() => down.send(() => up.send(() => down.send(presented))))
    }

    function presented(): void {
      const certificate = certificates[member.certificate]
      const verdict = trust.judge(certificate, { ok: false, code: 'a pin needs no chain' }, clock.now())
      progress.presented = { certificate, chain: [], verdict }
      if (!trust.admits(verdict)) {
        phase = 'certificate'
        fail(cutShort('wrong-certificate', member.name, phase))
        return
      }
      nextPhase('certificate', 'tlsMs')
      signal?.removeEventListener('abort', givenUp)
      connection.onLost = null
      connection.whenClosed(() => connection.up.send(() => member.forget(connection)))
      resolve(connection)
    }

    function nextPhase(next: typeof phase, took: 'connectMs' | 'tlsMs'): void {
      const now = clock.monotonic()
      stopWaiting()
      progress[took] = now - startedAt
      startedAt = now
      phase = next
    }

    function silent(): void {
      fail(cutShort('timed-out', member.name, phase))
    }

    function givenUp(): void {
      fail(cutShort('cancelled', member.name, phase))
    }

    function fail(error: unknown): void {
      stopWaiting()
      signal?.removeEventListener('abort', givenUp)
      connection.onLost = null
      connection.close()
      reject(memberErrorFrom(error, { member: member.name, phase, sent: false }))
    }
  })
}
