import type { Chance } from './chance.ts'
import type { Mischief } from './mischief.ts'
import type { SimulatedCluster } from './simulated-cluster.ts'
import type { DiskCondition, SimulatedDisk } from './simulated-disk.ts'
import type { SimulatedMember } from './simulated-member.ts'
import type { Trace } from './trace.ts'
import type { VirtualClock } from './virtual-clock.ts'

export type MemberFault = 'killed' | 'stopped' | 'cut' | 'slow' | 'starting' | 'wrong-certificate' | 'refusing-tokens'

export interface FaultsOptions {
  readonly clock: VirtualClock
  readonly chance: Chance
  readonly trace: Trace
  readonly cluster: SimulatedCluster
  readonly mischief: Mischief
  readonly disks: readonly SimulatedDisk[]
  /** The console is killed, and started again some time later. */
  readonly killConsole: () => void
  readonly begun: (member: SimulatedMember, fault: MemberFault, untilMs: number) => void
}

const memberFaults = ['killed', 'stopped', 'cut', 'slow', 'starting', 'wrong-certificate', 'refusing-tokens'] as const
const diskFaults = ['slow', 'failing', 'forgetful', 'hung'] as const satisfies readonly DiskCondition[]

/** What goes wrong, and when: for each member, for the disks and for the console a story of its own, up to an instant. */
export class Faults {
  readonly #options: FaultsOptions
  readonly #untilMs: number

  constructor(options: FaultsOptions, untilMs: number) {
    this.#options = options
    this.#untilMs = untilMs
  }

  plan(): void {
    const { chance, cluster, clock, disks, killConsole, trace } = this.#options
    for (const member of cluster.members) this.#afflict(member, chance.between(0.1, 1) ** 2)
    for (const disk of disks) if (chance.chance(0.3)) this.#wear(disk)
    const someTime = (): number => chance.between(0.1, 0.9) * this.#untilMs
    if (chance.chance(0.2)) clock.after(someTime(), killConsole)
    if (chance.chance(0.2)) clock.after(someTime(), () => cluster.database.loseLeader())
    if (chance.chance(0.15)) {
      const byMs = chance.oneOf([-400_000, -3_000, -200, 200, 3_000, 400_000])
      clock.after(someTime(), () => {
        trace.note(`the wall clock is set by ${byMs} ms`)
        clock.stepWall(byMs)
      })
    }
  }

  /** From now on all is well. */
  end(): void {
    const { cluster, disks, mischief } = this.#options
    mischief.active = false
    for (const disk of disks) disk.condition = 'well'
    for (const member of cluster.members) this.#heal(member)
  }

  /** @param share of the time in which something is wrong with it */
  #afflict(member: SimulatedMember, share: number): void {
    const { chance, clock } = this.#options
    const startAt = chance.waiting(3_000 / share)
    clock.after(startAt, () => {
      if (clock.monotonic() >= this.#untilMs) return
      const forMs = chance.oneOf([chance.between(50, 900), chance.between(900, 6_000)])
      const endsAt = Math.min(this.#untilMs, clock.monotonic() + forMs)
      this.#begin(member, chance.oneOf(memberFaults), endsAt)
      clock.after(endsAt - clock.monotonic(), () => {
        this.#heal(member)
        this.#afflict(member, share)
      })
    })
  }

  #begin(member: SimulatedMember, fault: MemberFault, untilMs: number): void {
    const { begun, chance, cluster, trace } = this.#options
    trace.note(`${member.name} is ${fault} until ${Math.round(untilMs)}`)
    switch (fault) {
      case 'killed':
        member.kill()
        break
      case 'stopped':
        member.stop()
        break
      case 'cut':
        member.isCut = true
        break
      case 'slow':
        member.extraMs = chance.oneOf([30, 120, 500])
        break
      case 'starting':
        this.#startAnew(member)
        break
      case 'wrong-certificate':
        member.kill()
        member.certificate = 'other'
        member.process = 'running'
        break
      case 'refusing-tokens':
        member.refusesTokens = true
        break
    }
    cluster.database.changed()
    begun(member, fault, untilMs)
  }

  #heal(member: SimulatedMember): void {
    const { clock, chance, cluster, trace } = this.#options
    if (member.isWell) return
    trace.note(`${member.name} is well again`)
    if (member.certificate === 'other') {
      member.kill()
      member.certificate = 'own'
    }
    if (member.process === 'dead') {
      // It answers only some time after it has been started.
      this.#startAnew(member)
      clock.after(chance.between(0, 400), () => this.#started(member))
    } else if (member.process === 'starting') {
      this.#started(member)
    } else if (member.process === 'stopped') {
      member.resume()
    }
    member.extraMs = 0
    member.refusesTokens = false
    member.mend()
    for (const other of cluster.members) other.release()
    cluster.database.changed()
  }

  #startAnew(member: SimulatedMember): void {
    if (member.process !== 'dead') member.kill()
    member.process = 'starting'
    member.starting = this.#options.chance.oneOf(['silence', 'unavailable'])
  }

  #started(member: SimulatedMember): void {
    if (member.process === 'starting') member.process = 'running'
    this.#options.cluster.database.changed()
  }

  #wear(disk: SimulatedDisk): void {
    const { clock, chance, trace } = this.#options
    clock.after(chance.between(0, 0.8) * this.#untilMs, () => {
      const condition = chance.oneOf(diskFaults)
      trace.note(`a disk is ${condition}`)
      disk.condition = condition
      clock.after(chance.between(100, 3_000), () => (disk.condition = 'well'))
    })
  }
}
