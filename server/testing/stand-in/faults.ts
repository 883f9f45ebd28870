import type { KeyPair } from '../certificate-authority.ts'

/**
 * What a whole member can suffer, for existing and new connections alike.
 *
 * - `stuck`: like SIGSTOP. TCP accepts, nothing answers, open connections freeze; all goes on when it is mended, also
 *   requests whose sender has left.
 * - `refusing`: like `kill -9`. Open connections are reset, new ones refused; mending is a restart.
 * - `cut-off`: like a pulled cable. Connection attempts hang, open connections freeze.
 * - `slow`: a delay before every handshake and every piece of every answer: 500 ms, or chosen.
 * - `wrong-certificate`: another certificate, not the cluster's; open connections are reset, so that the next shows it.
 * - `starting`: TLS answers and HTTP does not (`hang`, the default), or says 503 (`unavailable`).
 * - `without-oidc`: this member knows no OIDC any more; bearer tokens are ignored and certificates still count.
 * - `clock-skew`: this member's clock is off by `ms`.
 */
export type Fault =
  | 'stuck'
  | 'refusing'
  | 'cut-off'
  | 'slow'
  | 'wrong-certificate'
  | 'starting'
  | 'without-oidc'
  | { kind: 'slow'; delayMs: number }
  | { kind: 'slow'; factor: number }
  | { kind: 'wrong-certificate'; presented: KeyPair }
  | { kind: 'starting'; how: 'hang' | 'unavailable' }
  | { kind: 'clock-skew'; ms: number }

export type FaultKind = Exclude<Fault, { kind: string }> | 'clock-skew'

export function kindOf(fault: Fault): FaultKind {
  return typeof fault === 'string' ? fault : fault.kind
}

/** What one exchange can suffer, at an exact byte of its plaintext. */
export interface ExchangeFault {
  /** Default: any member. */
  member?: string
  /** Default: any method. */
  method?: string
  /** The path without its query: a string is compared whole, an expression is tested. Default: any path. */
  path?: string | RegExp
  /** Whether bytes are counted in the request or in the response. Default: `request`. */
  at?: 'request' | 'response'
  /**
   * The fault comes when this many bytes (head included) have gone through. In a request, its whole length means that
   * the member has all of it and carries it out, and only the answer is lost.
   */
  afterBytes: number
  /** `stall`: this connection says nothing more. `502` and `503`: that answer instead of, or in the middle of, the real one. */
  kind: 'reset' | 'close' | 'stall' | 502 | 503
  /** How many exchanges suffer it. Default 1. */
  times?: number
}

/** A fault that waits for its exchange. */
export interface ArmedFault {
  readonly fault: ExchangeFault
  /** How many exchanges have suffered it. */
  fired: number
  disarm(): void
}

/** Faults that wait, in the order they were asked for. */
export class FaultPoints {
  readonly #armed = new Set<ArmedFault>()

  get any(): boolean {
    return this.#armed.size > 0
  }

  arm(fault: ExchangeFault): ArmedFault {
    const armed: ArmedFault = { fault, fired: 0, disarm: () => this.#armed.delete(armed) }
    this.#armed.add(armed)
    return armed
  }

  /** The fault this exchange has to suffer; one that has been suffered often enough is gone. */
  claim(member: string, method: string, path: string): ArmedFault | undefined {
    for (const armed of this.#armed) {
      if (!matches(armed.fault, member, method, path)) continue
      return armed
    }
    return undefined
  }

  fired(armed: ArmedFault): void {
    armed.fired += 1
    if (armed.fired >= (armed.fault.times ?? 1)) armed.disarm()
  }
}

function matches(fault: ExchangeFault, member: string, method: string, path: string): boolean {
  if (fault.member !== undefined && fault.member !== member) return false
  if (fault.method !== undefined && fault.method !== method) return false
  if (fault.path === undefined) return true
  return typeof fault.path === 'string' ? fault.path === path : fault.path.test(path)
}
