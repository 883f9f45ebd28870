import { readFile } from 'node:fs/promises'
import { writeFrontFile } from '../lab/fronts/front.ts'
import type { FrontProgram, Lab } from '../lab/running-lab.ts'
import { until } from '../lab/deadline.ts'
import { stateOf } from '../lab/process-identity.ts'

export interface NewClient {
  /** Milliseconds since 1970. */
  readonly startedAt: number
  readonly answeredAt: number
}

/** curl, started anew five times a second on a machine of its own, each until it has its first answer. */
export class NewClients {
  readonly #program: FrontProgram
  readonly #file: string

  constructor(lab: Lab, machine: string, url: string, forSeconds: number) {
    this.#file = writeFrontFile(lab, machine, 'clients.txt', '')
    const script = writeFrontFile(lab, machine, 'clients.sh', clients(url, this.#file, forSeconds))
    this.#program = lab.start(machine, ['bash', script])
  }

  /** All of them, once the last has its answer. */
  async all(): Promise<readonly NewClient[]> {
    await until('the last client', 60_000, async () => (stateOf(this.#program.identity) === 'gone' ? true : undefined))
    const lines = (await readFile(this.#file, 'utf8')).trim().split('\n')
    return lines.map((line) => {
      const [startedAt = NaN, answeredAt = NaN] = line.split(' ').map((seconds) => 1_000 * Number(seconds))
      return { startedAt, answeredAt }
    })
  }
}

/** A client that is cut off tries again at once; one that hears nothing waits. */
function clients(url: string, file: string, forSeconds: number): string {
  return `end=$((SECONDS + ${forSeconds}))
while [ $SECONDS -lt $end ]; do
  (
    begun=$EPOCHREALTIME
    until curl --silent --fail --insecure --max-time 40 --output /dev/null ${url}; do sleep 0.05; done
    echo "$begun $EPOCHREALTIME" >> ${file}
  ) &
  sleep 0.2
done
wait
`
}
