import type { HealthBoard } from '../../src/health/health-board.ts'
import { lightIntervalMs } from '../../src/health/health-settings.ts'
import type { Clock } from '../../src/lib/clock.ts'
import type { MemberFault } from './faults.ts'
import type { Referee } from './referee.ts'
import type { SimulatedMember } from './simulated-member.ts'

/** What the board has to say of a fault that lasts. Others only make a member suspect, or nothing at all. */
const expected: Partial<Record<MemberFault, { readonly standing: string; readonly symptom: string }>> = {
  killed: { standing: 'ejected', symptom: 'refusing' },
  stopped: { standing: 'ejected', symptom: 'stuck' },
  cut: { standing: 'ejected', symptom: 'unreachable' },
  'wrong-certificate': { standing: 'untrusted', symptom: 'wrong-certificate' },
}

/** What a slow packet or handshake may add. */
const slackMs = 500

/** What is believed of members, against how they are. */
export class BoardLedger {
  readonly #clock: Clock
  readonly #referee: Referee
  /** The board of the console that runs; null while none does. */
  board: HealthBoard | null = null

  constructor(clock: Clock, referee: Referee) {
    this.#clock = clock
    this.#referee = referee
  }

  /** A fault that finds a healthy member is noticed in time, and called by its name. */
  begun(member: SimulatedMember, fault: MemberFault, untilMs: number): void {
    const { board } = this
    const wanted = expected[fault]
    if (board === null || wanted === undefined) return
    const { standing, symptom } = board.current(member.name)
    if (standing !== 'healthy' || symptom !== null) return
    const { lightTimeoutMs, phaseTimeoutMs, reprobeAfterMs, jitter } = board.settings
    const everyMs = lightIntervalMs(board.snapshot().size, board.settings) * (1 + jitter)
    const noticedInMs = everyMs + lightTimeoutMs + reprobeAfterMs + phaseTimeoutMs + slackMs
    this.#expectLater(noticedInMs, untilMs, board, () => {
      const { standing, symptom, evidence } = board.current(member.name)
      // Who was slow at that moment is given more time for each phase.
      if (evidence.slow) return null
      const isRight = standing === wanted.standing && symptom === wanted.symptom
      return isRight ? null : `${member.name} was ${fault} and is believed to be ${standing}, ${symptom ?? 'well'}`
    })
  }

  /** Whether the board says of all members that they are well, as they are when nothing has been wrong for a while. */
  get isCalm(): boolean {
    if (this.board === null) return false
    const all = [...this.board.snapshot().values()]
    return (
      all.every(({ standing, symptom }) => standing === 'healthy' && symptom === null) &&
      this.board.databaseAvailable !== false &&
      !this.board.panic
    )
  }

  /** By when that has to be so: the longest ejection, then the answers that end a slow spell, and two deep probes. */
  get calmsWithinMs(): number {
    if (this.board === null) return 0
    const { settings } = this.board
    const everyMs = lightIntervalMs(this.board.snapshot().size, settings) * (1 + settings.jitter)
    const ejectedMs = settings.ejectionAtMostMs * (1 + settings.ejectionJitter)
    const provingMs = (settings.goodProbesToRecover + 2) * everyMs
    const slowMs = (settings.paceInARow + 2) * everyMs
    const deepMs = 2 * (settings.deepEveryMs * (1 + settings.jitter) + settings.deepTimeoutMs)
    return settings.lingerMs + Math.max(ejectedMs + provingMs, slowMs, deepMs) + slowMs
  }

  describe(): string {
    if (this.board === null) return 'no console'
    return [...this.board.snapshot()]
      .map(([name, { standing, symptom }]) => `${name} ${standing} ${symptom ?? ''}`)
      .join(', ')
  }

  #expectLater(delayMs: number, untilMs: number, board: HealthBoard, wrong: () => string | null): void {
    if (this.#clock.monotonic() + delayMs >= untilMs) return
    this.#clock.after(delayMs, () => {
      const what = board === this.board ? wrong() : null
      if (what !== null) this.#referee.broken(`${what} after ${Math.round(delayMs)} ms`)
    })
  }
}
