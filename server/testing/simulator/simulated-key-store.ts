import type { IdempotencyStore, KeptKey, KeyOfPerson } from '../../src/mutations/idempotency-store.ts'
import type { SimulatedDisk } from './simulated-disk.ts'

interface Row {
  readonly request: Uint8Array
  readonly owner: string
  readonly at: number
  state: KeptKey['state']
  response: string | null
}

/** Idempotency keys on a simulated disk, with the statements of the real store. */
export class SimulatedKeyStore {
  readonly #disk: SimulatedDisk
  readonly #rows = new Map<string, Row>()

  constructor(disk: SimulatedDisk) {
    this.#disk = disk
  }

  /** As one process sees it. */
  storeFor(isWanted: () => boolean): IdempotencyStore {
    const rows = this.#rows
    const write = <Value>(commit: () => Value): Promise<Value> => this.#disk.write(isWanted, commit)
    const update = (key: KeyOfPerson, owner: string, set: Partial<Pick<Row, 'state' | 'response'>>): Promise<void> =>
      write(() => {
        const row = rows.get(keyOf(key))
        if (row?.owner === owner) Object.assign(row, set)
      })
    return {
      take: (key, request, owner, at) =>
        write((): KeptKey | 'taken' => {
          const row = rows.get(keyOf(key))
          if (row !== undefined)
            return { request: row.request, state: row.state, owner: row.owner, response: row.response }
          rows.set(keyOf(key), { request, owner, at, state: 'running', response: null })
          return 'taken'
        }),
      finish: (key, owner, response) => update(key, owner, { state: 'done', response }),
      leaveUnknown: (key, owner) => update(key, owner, { state: 'unknown' }),
      release: (key, owner) =>
        write(() => {
          if (rows.get(keyOf(key))?.owner === owner) rows.delete(keyOf(key))
        }),
      leaveUnknownOfOthers: (owner) =>
        write(() => {
          for (const row of rows.values()) if (row.state === 'running' && row.owner !== owner) row.state = 'unknown'
        }),
      forget: (before) =>
        write(() => {
          for (const [key, { at }] of rows) if (at < before) rows.delete(key)
        }),
    }
  }
}

function keyOf({ person, key }: KeyOfPerson): string {
  return `${Buffer.from(person).toString('hex')} ${key}`
}
