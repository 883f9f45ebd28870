import type { Measure, ProbeFault } from '@malleus/shared/api/member-health.ts'
import { measures, ProbeFault as Fault } from '@malleus/shared/api/member-health.ts'
import type { ProbeRecord } from '@malleus/shared/api/members.ts'
import { AnswerTimes } from './answer-times.ts'

/**
 * What the probes of one member showed in a piece of time: how long each phase took, and in which phase questions
 * failed. Pieces add up: the piece of a day is that of its hours together.
 */
export class ProbePiece {
  readonly times: Readonly<Record<Measure, AnswerTimes>>
  readonly failures = new Map<ProbeFault, number>()

  constructor(timesOf: (measure: Measure) => AnswerTimes = () => new AnswerTimes()) {
    const [connect, tls, answer, database] = [
      timesOf('connect'),
      timesOf('tls'),
      timesOf('answer'),
      timesOf('database'),
    ]
    this.times = { connect, tls, answer, database }
  }

  /** A phase that was reached counts, whatever became of the question after it. */
  note({ kind, connectMs, tlsMs, firstByteMs, failure }: ProbeRecord): void {
    if (connectMs !== null) this.times.connect.record(connectMs)
    if (tlsMs !== null) this.times.tls.record(tlsMs)
    if (failure === null) {
      if (firstByteMs !== null) this.times[kind === 'deep' ? 'database' : 'answer'].record(firstByteMs)
      return
    }
    const phase = Fault.safeParse(failure.phase)
    this.#fail(kind === 'deep' || !phase.success ? 'database' : phase.data, 1)
  }

  merge(other: ProbePiece): void {
    for (const measure of measures) this.times[measure].merge(other.times[measure])
    for (const [fault, count] of other.failures) this.#fail(fault, count)
  }

  /** Light and cold questions, answered or not. */
  get asked(): number {
    return this.times.answer.count + this.failed
  }

  get failed(): number {
    let sum = 0
    for (const [fault, count] of this.failures) if (fault !== 'database') sum += count
    return sum
  }

  /**
   * As bytes to be kept: numbers in LEB128, seven bits to a byte: first the number of this form, then the count of each
   * fault and the times of each measure, in the order in which `shared/` lists them. To change it, raise the number and
   * go on reading the old form.
   */
  toBytes(): Uint8Array {
    const numbers = [FORM, ...Fault.options.map((fault) => this.failures.get(fault) ?? 0)]
    for (const measure of measures) numbers.push(...this.times[measure].toNumbers())
    return writeNumbers(numbers)
  }

  /** @throws RangeError for bytes that are not those of a piece. */
  static fromBytes(bytes: Uint8Array): ProbePiece {
    const numbers = readNumbers(bytes).values()
    const form = numbers.next()
    if (form.value !== FORM) throw new RangeError('a piece of probes is in a form that is not known')
    const failures = Fault.options.map((fault) => [fault, numbers.next()] as const)
    const piece = new ProbePiece(() => AnswerTimes.takeFrom(numbers))
    for (const [fault, count] of failures) piece.#fail(fault, count.value ?? 0)
    return piece
  }

  #fail(fault: ProbeFault, count: number): void {
    if (count > 0) this.failures.set(fault, (this.failures.get(fault) ?? 0) + count)
  }
}

const FORM = 1

function writeNumbers(numbers: readonly number[]): Uint8Array {
  const bytes: number[] = []
  for (const number of numbers) {
    let left = number
    while (left >= 0x80) {
      bytes.push((left % 0x80) | 0x80)
      left = Math.floor(left / 0x80)
    }
    bytes.push(left)
  }
  return Uint8Array.from(bytes)
}

function readNumbers(bytes: Uint8Array): number[] {
  const numbers: number[] = []
  let number = 0
  let place = 1
  for (const byte of bytes) {
    number += (byte & 0x7f) * place
    place *= 0x80
    if (byte >= 0x80) continue
    numbers.push(number)
    number = 0
    place = 1
  }
  return numbers
}
