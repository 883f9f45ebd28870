import { selfSigned } from '../certificate-authority.ts'
import type { ClusterState } from './cluster-state.ts'
import { kindOf } from './faults.ts'
import type { Fault, FaultKind } from './faults.ts'
import type { Member } from './member.ts'
import type { MemberServer } from './member-server.ts'
import type { Operations } from './operations.ts'

const SLOW_MS = 500

/** What each fault does to a member and to its network, and how it is undone. */
export class Injury {
  readonly #state: ClusterState
  readonly #operations: Operations
  readonly #wrongCertificate = selfSigned({ commonName: 'not the cluster', names: ['localhost'] })

  constructor(state: ClusterState, operations: Operations) {
    this.#state = state
    this.#operations = operations
  }

  /** Resolves when the fault is in effect. */
  async inflict(member: Member, server: MemberServer, fault: Fault): Promise<void> {
    switch (kindOf(fault)) {
      case 'stuck':
        member.process = 'stopped'
        member.silentSince = this.#state.clock.now()
        return
      case 'refusing':
        this.#endProcess(member, 'dead')
        server.stopListening()
        server.resetConnections()
        return
      case 'cut-off':
        member.cutOff = true
        await server.swallowConnections()
        member.silentSince = this.#state.clock.now()
        return
      case 'slow':
        member.delayMs = delayOf(fault, this.#state.settings.answerMs)
        return
      case 'wrong-certificate':
        server.present(typeof fault === 'object' && 'presented' in fault ? fault.presented : this.#wrongCertificate)
        server.resetConnections()
        return
      case 'starting':
        member.startingAnswers = typeof fault === 'object' && 'how' in fault ? fault.how : 'hang'
        this.#endProcess(member, 'starting')
        server.resetConnections()
        return
      case 'without-oidc':
        member.withoutOidc = true
        return
      case 'clock-skew':
        member.clockOffsetMs = typeof fault === 'object' && 'ms' in fault ? fault.ms : 0
    }
  }

  /** Resolves when nothing of the fault is left. */
  async heal(member: Member, server: MemberServer, fault: FaultKind): Promise<void> {
    member.silentSince = undefined
    switch (fault) {
      case 'stuck':
        member.process = 'running'
        return
      case 'refusing':
        this.#beginProcess(member)
        return server.listen()
      case 'cut-off':
        await server.stopSwallowing()
        member.cutOff = false
        return
      case 'slow':
        member.delayMs = this.#state.settings.answerMs
        return
      case 'wrong-certificate':
        server.present(this.#state.certificate)
        server.resetConnections()
        return
      case 'starting':
        this.#beginProcess(member)
        return
      case 'without-oidc':
        member.withoutOidc = false
        return
      case 'clock-skew':
        member.clockOffsetMs = 0
    }
  }

  #endProcess(member: Member, into: 'dead' | 'starting'): void {
    member.process = into
    member.life += 1
    this.#operations.forgetThoseOf(member)
  }

  #beginProcess(member: Member): void {
    member.process = 'running'
    member.startedAt = this.#state.clock.now()
  }
}

function delayOf(fault: Fault, answerMs: number): number {
  if (typeof fault === 'object' && 'delayMs' in fault) return fault.delayMs
  if (typeof fault === 'object' && 'factor' in fault) return answerMs * fault.factor
  return SLOW_MS
}
